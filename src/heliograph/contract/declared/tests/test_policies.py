"""One fault each of what a tenant declares about people, words, hours and money; and what is none."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from heliograph.contract.workspace import Faults, read_workspace
from heliograph.model.workspace import Document

RATE = {"channel": "sms", "prefix": "44", "price": "0.0400"}
WINDOW = {"days": ["mon"], "start": "09:00", "end": "18:00"}

# a member of the tenant, its value, and where it is at fault below the tenant
FAULTS: dict[str, tuple[str, Any, str]] = {
    "a balance that is a number": ("billing", {"balance": 100}, "billing.balance"),
    "a balance below nothing": ("billing", {"balance": "-1"}, "billing.balance"),
    "a balance of seven decimals": ("billing", {"balance": "0.0000001"}, "billing.balance"),
    "a currency that is none": ("billing", {"currency": "Euro"}, "billing.currency"),
    "a price with a comma": ("billing", {"rate_plan": [{**RATE, "price": "0,04"}]}, "billing.rate_plan[0].price"),
    "a price for no channel": ("billing", {"rate_plan": [{**RATE, "channel": "fax"}]},
                               "billing.rate_plan[0].channel"),
    "a prefix with a plus": ("billing", {"rate_plan": [{**RATE, "prefix": "+44"}]}, "billing.rate_plan[0].prefix"),
    "a pulse that is none": ("billing", {"rate_plan": [{**RATE, "pulse": "a minute"}]},
                             "billing.rate_plan[0].pulse"),
    "a unit that is none": ("billing", {"rate_plan": [{**RATE, "unit": "word"}]}, "billing.rate_plan[0].unit"),
    "two prices for one prefix": ("billing", {"rate_plan": [RATE, RATE]}, "billing.rate_plan[1]"),
    "an unknown member of billing": ("billing", {"credit": "1"}, "billing.credit"),
    "an entry without address": ("dnd", [{"channel": "sms"}], "dnd[0].address"),
    "an entry with an empty address": ("dnd", [{"address": " "}], "dnd[ ].address"),
    "an entry for no channel": ("dnd", [{"address": "1", "channel": "fax"}], "dnd[1].channel"),
    "an entry twice": ("dnd", [{"address": "1"}, {"address": "1"}], "dnd[1]"),
    "an entry that ends at no time": ("dnd", [{"address": "1", "expires": "tomorrow"}], "dnd[1].expires"),
    "a category with a blank": ("dnd", [{"address": "1", "category": "a b"}], "dnd[1].category"),
    "a keyword without letters": ("opt_out", {"stop": [" "]}, "opt_out.stop"),
    "a word for both": ("opt_out", {"stop": ["X"], "start": ["x"]}, "opt_out.start"),
    "a cap of nothing": ("frequency_caps", [{"most": 0}], "frequency_caps[0].most"),
    "a cap for a year": ("frequency_caps", [{"most": 1, "per": "year"}], "frequency_caps[0].per"),
    "an empty word": ("spam_words", [" "], "spam_words[0]"),
    "a word that is a number": ("spam_words", [7], "spam_words[0]"),
    "neither word nor expression": ("spam_words", [{"channels": ["sms"]}], "spam_words[0]"),
    "both word and expression": ("spam_words", [{"word": "a", "regex": "b"}], "spam_words[0]"),
    "an expression that is none": ("spam_words", [{"regex": "(a"}], "spam_words[0].regex"),
    "an expression that RE2 has not": ("spam_words", [{"regex": r"(a)\1"}], "spam_words[0].regex"),
    "a word for no channel": ("spam_words", [{"word": "a", "channels": ["fax"]}], "spam_words[0].channels"),
    "hours without windows": ("social_hours", {"zone": "tenant"}, "social_hours"),
    "hours with windows and a preset": ("social_hours", {"windows": [WINDOW], "preset": "office"}, "social_hours"),
    "a preset that is none": ("social_hours", {"preset": "night"}, "social_hours.preset"),
    "a time that is none": ("social_hours", {"windows": [{**WINDOW, "start": "9:00"}]},
                            "social_hours.windows[0].start"),
    "a time beyond the day": ("social_hours", {"windows": [{**WINDOW, "end": "24:01"}]},
                              "social_hours.windows[0].end"),
    "a window of no length": ("social_hours", {"windows": [{**WINDOW, "end": "09:00"}]},
                              "social_hours.windows[0].start"),
    "a window on no day": ("social_hours", {"windows": [{**WINDOW, "days": []}]}, "social_hours.windows[0].days"),
    "a day that is none": ("social_hours", {"windows": [{**WINDOW, "days": ["monday"]}]},
                           "social_hours.windows[0].days[0]"),
    "a holiday that is none": ("social_hours", {"preset": "office", "holidays": ["25.12."]},
                               "social_hours.holidays"),
    "a day that February has not": ("social_hours", {"preset": "office", "holidays": ["2027-02-29"]},
                                    "social_hours.holidays"),
    "a country that is none": ("social_hours", {"preset": "office", "countries": ["gb"]}, "social_hours.countries"),
    "the second of several hours": ("social_hours", [{"preset": "office"}, {"preset": "night"}],
                                    "social_hours[1].preset"),
    "a zone that is none": ("social_hours", {"preset": "office", "zone": "fixed"}, "social_hours.zone"),
    "a sender of an unknown service": ("senders", [{"id": "X", "channel": "sms", "services": ["s"]}],
                                       "senders[X].services"),
    "an app of an unknown service": ("apps", [{"id": "A", "services": ["s"]}], "apps[A].services"),
    "an app that is asleep": ("apps", [{"id": "A", "status": "asleep"}], "apps[A].status"),
    "a template's category": ("templates", [{"id": "1", "channel": "sms", "text": "x", "category": "a,b"}],
                              "templates[1].category"),
    "a service's category": ("services", [{"id": "s", "category": "a,b"}], "services[s].category"),
    "an exempt category": ("dnd_exempt", ["a,b"], "dnd_exempt"),
}  # fmt: skip


def read(**members: Any) -> Document:
    return read_workspace({"tenants": [{"id": "demo", **members}]}, {})


@pytest.mark.parametrize(("member", "value", "path"), FAULTS.values(), ids=FAULTS)
def test_a_fault_is_told_with_its_path_and_its_mend(member: str, value: Any, path: str) -> None:
    with pytest.raises(Faults) as caught:
        read(**{member: value})

    assert [where for where, _ in caught.value.faults] == [f"tenants[demo].{path}"]
    assert all(sentence for _, sentence in caught.value.faults)


GOOD: dict[str, dict[str, Any]] = {
    "billing": {"billing": {"currency": "EUR", "balance": "100.00", "rate_plan": [RATE, {**RATE, "prefix": ""}]}},
    "calls by the minute": {"billing": {"rate_plan": [{**RATE, "unit": "minute", "pulse": "30+6"}]}},
    "entries": {"dnd": [{"address": "447700900999", "channel": "sms"}, {"address": "447700900999"},
                        {"address": "u", "expires": "2030-01-31", "category": "news", "reason": "said so"}]},
    "no words to stop with": {"opt_out": None},
    "words": {"spam_words": ["free money", {"word": "loan", "channels": ["sms"]}, {"regex": r"win\\s+big"}]},
    "hours": {"social_hours": {"zone": "recipient", "windows": [WINDOW], "channels": ["sms", "voice"],
                               "outside": "reject"}},
    "hours overnight": {"social_hours": {"windows": [{"start": "22:00", "end": "06:00"}]}},
    "hours by country": {"social_hours": [{"preset": "us_tcpa", "countries": ["US"]}, {"preset": "daytime"}]},
    "the whole day": {"social_hours": {"windows": [{"start": "00:00", "end": "24:00"}]}},
    "owners": {"services": [{"id": "s"}], "senders": [{"id": "X", "channel": "sms", "services": ["s"]}]},
}  # fmt: skip


@pytest.mark.parametrize("members", GOOD.values(), ids=GOOD)
def test_what_is_no_fault(members: dict[str, Any]) -> None:
    assert read(**members).tenants[0].id == "demo"


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
)
MEMBERS = ["billing", "dnd", "opt_out", "frequency_caps", "spam_words", "social_hours", "dnd_exempt"]


@given(st.sampled_from(MEMBERS), JSON)
def test_no_value_is_too_odd_to_be_judged(member: str, value: Any) -> None:
    try:
        assert isinstance(read(**{member: value}), Document)
    except Faults as error:
        assert error.faults  # noqa: PT017
