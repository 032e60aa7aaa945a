"""Short links: codes that name a destination, texts that carry them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from heliograph.model.message import Content, Shorten
from heliograph.model.workspace import Link
from heliograph.policy.objects.links import LENGTH, Codes, Linker, NoLink, Place

CODES = Codes(b"secret")
BASE = "https://hg.example"
LINKS = {
    "5": Link(id="5", url="https://shop.example/sale", validity=60),
    "6": Link(id="6", url="https://shop.example/new", domain="go.example.com", ios_url="https://apps.example/x"),
    "7": Link(id="7", url="https://shop.example/old", status="inactive"),
}
PLACES = st.builds(Place, st.integers(0, 2**63 - 1), st.integers(0, 3_843), st.integers(0, 61))


def linker(**content: object) -> Linker:
    return Linker(Content(channel="sms", **content), LINKS, ("go.example.com",), BASE, "tenants[demo]")  # type: ignore[arg-type]


@given(PLACES)
def test_a_code_names_what_it_was_made_for(place: Place) -> None:
    code = CODES.code(place)
    assert (len(code), CODES.read(code)) == (LENGTH, place)


@given(PLACES, st.integers(0, LENGTH - 1), st.sampled_from("0Az"))
def test_a_changed_code_names_nothing(place: Place, at: int, digit: str) -> None:
    code = CODES.code(place)
    changed = code[:at] + digit + code[at + 1 :]
    assert CODES.read(changed) == (place if changed == code else None)


@given(st.text(max_size=24))
def test_no_text_is_a_code_by_chance(text: str) -> None:
    assert CODES.read(text) is None


def test_another_installation_reads_none_of_ours() -> None:
    assert Codes(b"other").read(CODES.code(Place(1, 2, 3))) is None


def test_a_stand_in_is_as_long_as_what_replaces_it() -> None:
    text, links = linker().link("Now {{link_5}}, {{ link_6 }} and {{link_5}}")
    personal = CODES.personal(text, links, 1 << 60, 17)

    assert [link.label for link in links] == ["5", "6"]
    assert len(personal) == len(text)
    first, second = (CODES.code(Place(1 << 60, 17, number)) for number in (0, 1))
    assert personal == f"Now {BASE}/l/{first}, https://go.example.com/l/{second} and {BASE}/l/{first}"


@pytest.mark.parametrize(
    ("text", "name", "decided_by"),
    [
        ("{{link_9}}", "link_9", "tenants[demo].links[9] is not declared"),
        ("{{link_7}}", "link_7", "tenants[demo].links[7].status is inactive"),
    ],
)
def test_a_link_that_is_not_there_is_named(text: str, name: str, decided_by: str) -> None:
    with pytest.raises(NoLink) as caught:
        linker().link(text)
    assert (caught.value.name, caught.value.decided_by, caught.value.setup) == (name, decided_by, False)


@pytest.mark.parametrize(("given_minutes", "expected"), [({}, 60), ({"5": 30}, 30)])
def test_the_call_says_how_long_a_link_is_good_for(given_minutes: dict[str, int], expected: int) -> None:
    _, [link] = linker(smartlinks=given_minutes).link("{{link_5}}")
    assert link.minutes == expected


URLS = [
    ("See https://a.example/x?y=1.", "See {}.", "https://a.example/x?y=1"),
    ("(http://a.example)", "({})", "http://a.example"),
    ("HTTPS://A.EXAMPLE/Q!", "{}!", "HTTPS://A.EXAMPLE/Q"),
]


@pytest.mark.parametrize(("text", "around", "url"), URLS)
def test_urls_are_shortened(text: str, around: str, url: str) -> None:
    found, [link] = linker(shorten=Shorten("go.example.com")).link(text)
    assert (found, link.url, link.base) == (around.format(link.standin), url, "https://go.example.com")


def test_a_url_is_left_alone_unless_asked() -> None:
    assert linker().link("See https://a.example/x") == ("See https://a.example/x", ())


def test_a_foreign_domain_is_refused_unless_another_will_do() -> None:
    with pytest.raises(NoLink) as caught:
        linker(shorten=Shorten("evil.example")).link("https://a.example")
    assert (caught.value.name, caught.value.setup) == ("evil.example", True)
    _, [link] = linker(shorten=Shorten("evil.example", fallback=True)).link("https://a.example")
    assert link.base == BASE


def test_a_message_has_so_many_links_at_most() -> None:
    text = " ".join(f"https://a.example/{number}" for number in range(63))
    with pytest.raises(NoLink):
        linker(shorten=Shorten("go.example.com")).link(text)
