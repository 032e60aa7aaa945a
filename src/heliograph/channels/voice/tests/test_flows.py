"""Call flows: what may be declared, every fault with its path, and what a call has against the workspace."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from heliograph.catalogue import keys
from heliograph.channels import channels
from heliograph.channels.voice.flow import steps
from heliograph.channels.voice.flow.reading import flow_faults, read_flow
from heliograph.channels.voice.wanted import asks, attach, objection
from heliograph.contract.workspace import Faults, read_workspace
from heliograph.model.message import Content
from heliograph.model.workspace import Tenant

WHOLE: list[Any] = [
    {"say": "Hello ${name}", "language": "en-gb"},
    {"play": "7"},
    {"pause": 0.5},
    {"label": "menu"},
    {"gather": {"say": "Press", "length": 2, "finish": "#", "timeout": 4, "between": 2, "tries": 3, "into": "choice",
                "branches": {"1": "end", 2: "menu"}, "none": "end", "other": "menu", "hidden": True}},
    {"set": {"language": "de", "count": 3}},
    {"notify": {"url": "https://example.com/${call}", "data": {"choice": "${choice}"}}},
    {"notify": "https://example.com"},
    {"press": "12#"},
    {"goto": "menu", "when": {"choice": "9"}},
    {"transfer": "+442079460000", "timeout": 20},
    {"transfer": "${agent}"},
    {"label": "end"},
    {"hangup": True},
]  # fmt: skip


def flow(*declared: Any, **more: Any) -> dict[str, Any]:
    return {"id": "184", "steps": list(declared), **more}


def test_every_kind_of_step_can_be_declared() -> None:
    assert list(flow_faults(flow(*WHOLE, language="en"))) == []
    read = read_flow(flow(*WHOLE, language="en"))

    assert (read.language, len(read.steps), read.labels()) == ("en", len(WHOLE), {"menu": 3, "end": 12})
    assert read.steps[4] == steps.Gather(
        ask=steps.Say(text="Press"), length=2, finish="#", timeout=4.0, between=2.0, tries=3, into="choice",
        branches={"1": "end", "2": "menu"}, none="end", other="menu", hidden=True,
    )  # fmt: skip


FAULTS: list[tuple[Any, str, str]] = [
    ("hello", "steps[0]", "must be an object"),
    ({}, "steps[0]", "must be one of say, play"),
    ({"say": "a", "play": "b"}, "steps[0]", "must be one of"),
    ({"speak": "a"}, "steps[0]", "must be one of"),
    ({"say": ""}, "steps[0].say", "must be text of 1 to 2000"),
    ({"say": "x" * 2_001}, "steps[0].say", "must be text of 1 to 2000"),
    ({"say": ["a"]}, "steps[0].say", "must be text"),
    ({"say": "a", "loud": True}, "steps[0].loud", "is no member of a step say"),
    ({"say": "a", "language": "English!"}, "steps[0].language", "must be a language"),
    ({"pause": 0}, "steps[0].pause", "must be a number from 0.02 to 600"),
    ({"pause": "1"}, "steps[0].pause", "must be a number"),
    ({"pause": True}, "steps[0].pause", "must be a number"),
    ({"gather": "1"}, "steps[0].gather", "must be an object"),
    ({"gather": {"length": 1.5}}, "steps[0].gather.length", "must be a whole number"),
    ({"gather": {"digits": 1}}, "steps[0].gather.digits", "there is no such member"),
    ({"gather": {"say": "a", "play": "b"}}, "steps[0].gather.play", "there is `say` already"),
    ({"gather": {"finish": "##"}}, "steps[0].gather.finish", "must be text of 1 to 1"),
    ({"gather": {"finish": "x"}}, "steps[0].gather.finish", "must be one of 0-9"),
    ({"gather": {"into": "a b"}}, "steps[0].gather.into", "must be the name of a variable"),
    ({"gather": {"branches": {"x": "a"}}}, "steps[0].gather.branches[x]", "digits that can be pressed"),
    ({"gather": {"branches": {"1": "nowhere"}}}, "steps[0].gather.branches[1]", "there is no label 'nowhere'"),
    ({"gather": {"none": "nowhere"}}, "steps[0].gather.none", "there is no label"),
    ({"gather": {"hidden": "yes"}}, "steps[0].gather.hidden", "must be true or false"),
    ({"set": {}}, "steps[0].set", "must be an object of names"),
    ({"set": {"a b": "1"}}, "steps[0].set[a b]", "must be the name of a variable"),
    ({"set": {"a": [1]}}, "steps[0].set[a]", "must be text"),
    ({"notify": {"data": {"a": "b"}}}, "steps[0].notify.url", "must be text"),
    ({"notify": {"url": "ftp://a"}}, "steps[0].notify.url", "must be an absolute http or https URL"),
    ({"notify": {"url": "https://a", "method": "GET"}}, "steps[0].notify.method", "there is no such member"),
    ({"transfer": "nobody"}, "steps[0].transfer", "must be a phone number or a sip URI"),
    ({"transfer": "sip:a@b>"}, "steps[0].transfer", "must be a phone number or a sip URI"),
    ({"press": "abc"}, "steps[0].press", "must be digits"),
    ({"goto": "nowhere"}, "steps[0].goto", "there is no label 'nowhere'"),
    ({"hangup": False}, "steps[0].hangup", "must be true"),
]


@pytest.mark.parametrize(("step", "path", "sentence"), FAULTS)
def test_a_fault_names_its_path(step: Any, path: str, sentence: str) -> None:
    [(found, said)] = flow_faults(flow(step))

    assert found == path
    assert sentence in said


def test_every_fault_is_named_and_not_only_the_first() -> None:
    faults = dict(
        flow_faults(flow({"say": ""}, {"hangup": True}, {"pause": -1}, {"label": "a"}, {"label": "a"}, colour=1))
    )

    assert set(faults) == {"colour", "steps[0].say", "steps[2].pause", "steps[4].label"}


@pytest.mark.parametrize("declared", [{"id": "1"}, {"id": "1", "steps": []}, {"id": "1", "steps": {"say": "a"}}])
def test_a_flow_without_steps_is_none(declared: dict[str, Any]) -> None:
    assert [path for path, _ in flow_faults(declared)] == ["steps"]


def test_a_flow_that_is_too_long_is_refused() -> None:
    assert ("steps", "must be 200 steps at most") in list(flow_faults(flow(*[{"pause": 1}] * 201)))


NAMES = st.sampled_from(["say", "play", "gather", "goto", "label", "set", "notify", "when", "x"])
ANY = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3)
    | st.dictionaries(NAMES, inner, max_size=3),
    max_leaves=6,
)  # fmt: skip


@given(st.lists(ANY, max_size=4))
def test_any_steps_are_read_or_have_faults(declared: list[Any]) -> None:
    if not list(flow_faults(flow(*declared))):
        read_flow(flow(*declared))


# In a workspace


def document(**tenant: Any) -> dict[str, Any]:
    return {"tenants": [{"id": "demo", **tenant}]}


def faults(**tenant: Any) -> dict[str, str]:
    with pytest.raises(Faults) as caught:
        read_workspace(document(**tenant), channels())
    return dict(caught.value.faults)


def test_a_fault_of_a_flow_is_one_of_the_workspace() -> None:
    found = faults(callflows=[flow({"say": ""}), {"id": "2", "steps": [{"goto": "x"}]}])

    assert set(found) == {"tenants[demo].callflows[184].steps[0].say", "tenants[demo].callflows[2].steps[0].goto"}


def test_a_prompt_that_a_flow_plays_must_be_declared() -> None:
    found = faults(
        callflows=[flow({"play": "7"}, {"gather": {"play": "8"}}, {"play": "${which}"}, {"play": "https://a/b"})]
    )

    assert set(found) == {"tenants[demo].callflows[184].steps[0]", "tenants[demo].callflows[184].steps[1]"}


def test_a_prompt_must_have_a_file() -> None:
    found = faults(prompts=[{"id": "7"}, {"id": "8", "file": 3}, {"id": "9", "file": "a.wav", "loud": True}])

    assert set(found) == {
        "tenants[demo].prompts[7].file", "tenants[demo].prompts[8].file", "tenants[demo].prompts[9].loud",
    }  # fmt: skip


def test_a_workspace_with_flows_and_prompts_is_taken() -> None:
    read_workspace(
        document(prompts=[{"id": "7", "file": "welcome.wav"}], callflows=[flow({"play": "7"})]), channels()
    )


# What a call has against it

TENANT = Tenant(
    id="demo",
    prompts=({"id": "7", "file": "greetings/welcome.wav"},),
    callflows=(
        {"id": "184", "steps": [{"say": "Hello ${name}"}, {"play": "7"}]},
        {"id": "185", "steps": [{"gather": {"into": "pin"}}, {"say": "${pin} ${to} ${digits}"}]},
        {"id": "186", "steps": [{"speak": "from before flows were checked"}]},
    ),
)


def content(parameters: dict[str, object] | None = None, **fields: object) -> Content:
    return Content(channel="voice", fields=fields, parameters=parameters or {})


FINE = [
    content(callflowid="184"),
    content({"name": "Ann"}, callflowid="184"),
    content({"other": "x"}, callflowid="185"),
    content(promptid="7"),
    content(media="7"),
    content(media="welcome.wav"),
    content(media="https://example.com/a.wav"),
    content(text="Hello"),
]


@pytest.mark.parametrize("found", FINE)
def test_a_call_that_has_all_it_needs(found: Content) -> None:
    assert objection(found, TENANT) is None
    assert attach(found, TENANT).prompts == {"7": "greetings/welcome.wav"}


AGAINST = [
    (content(callflowid="999"), keys.CONFIGURATION_ERROR, "999", "tenants[demo].callflows[999] is not declared"),
    (content(callflowid="186"), keys.CONFIGURATION_ERROR, "186", "tenants[demo].callflows[186]"),
    (content(promptid="8"), keys.CONFIGURATION_ERROR, "8", "tenants[demo].prompts"),
    (content(media="other.wav"), keys.CONFIGURATION_ERROR, "other.wav", "the tenant has no such prompt"),
    (content(), keys.CONFIGURATION_ERROR, "nothing to say", "channels.voice"),
]


@pytest.mark.parametrize(("found", "key", "value", "decided_by"), AGAINST)
def test_what_is_missing_is_said_with_who_decides(found: Content, key: str, value: str, decided_by: str) -> None:
    against = objection(found, TENANT)

    assert against is not None
    assert (against.key, against.value) == (key, value)
    assert decided_by in against.decided_by


ASKED = [
    (content(callflowid="184"), ("name",)),
    (content(callflowid="185"), ()),
    (content(callflowid="186"), ()),
    (content(callflowid="999"), ()),
    (content(promptid="7"), ()),
    (content(text="Hi ${name}"), ()),
]


@pytest.mark.parametrize(("found", "names"), ASKED)
def test_a_flow_asks_for_what_it_does_not_set_itself(found: Content, names: tuple[str, ...]) -> None:
    assert asks(found, TENANT) == names


def test_what_is_attached_is_equal_for_equal_contents() -> None:
    assert attach(content(callflowid="184"), TENANT) == attach(content(callflowid="184"), TENANT)
