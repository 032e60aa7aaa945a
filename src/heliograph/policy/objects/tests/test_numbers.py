"""What a phone number says by itself."""

from __future__ import annotations

import pytest

from heliograph.policy.objects.numbers import country_of, zones_of


@pytest.mark.parametrize(
    ("number", "prefix", "zone"),
    [
        ("447700900001", "4477", "Europe/London"),
        ("12125550123", "1212", "America/New_York"),
        ("14155550123", "1415", "America/Los_Angeles"),
        ("918886661353", "91", "Asia/Calcutta"),
    ],
)
def test_a_prefix_tells_the_zone(number: str, prefix: str, zone: str) -> None:
    found, zones = zones_of(number)

    assert (found, zone in zones) == (prefix, True)


@pytest.mark.parametrize("number", ["", "999000", "abc"])
def test_nothing_tells_nothing(number: str) -> None:
    assert zones_of(number) == ("", ())


@pytest.mark.parametrize(
    ("number", "country"),
    [
        ("12125550123", "US"), ("14165550123", "CA"), ("12425550123", "BS"), ("79161234567", "RU"),
        ("77011234567", "KZ"), ("447700900001", "GB"), ("918886661353", "IN"), ("999000", ""), ("", ""), ("psid", ""),
        ("80012345678", ""),
    ],
)  # fmt: skip
def test_a_number_is_of_a_country(number: str, country: str) -> None:
    assert country_of(number) == country
