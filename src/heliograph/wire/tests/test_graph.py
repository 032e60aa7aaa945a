"""What the channels on Graph share: faults, rates, references, threads, credentials. No network."""

from __future__ import annotations

import asyncio

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from heliograph.model.channel import HookCall, Peer
from heliograph.model.outcome import Reference
from heliograph.wire.graph import account, credentials, usage, webhook
from heliograph.wire.graph.meanings import Fault, Meanings, fault_in
from heliograph.wire.graph.simulated import Asked, asked
from heliograph.wire.graph.threads import Threads

TABLE = Meanings(
    "native,key,retry,holds,deactivate,note\n"
    "10,invalid_app_credentials,no,channel,no,permission\n"
    "10/5,expired_before_sending,no,,no,window\n"
    "*/463,invalid_user_credentials,no,channel,no,expired\n"
    "100~fbid,unknown_subscriber,no,,yes,nobody\n"
    "100,failed_at_platform,no,,no,parameter\n"
    "200-299,invalid_app_credentials,no,channel,no,permissions\n"
    "http 5xx,endpoint_unreachable,soon,,no,down\n"
    "other,provider_exception,no,,no,anything else\n"
)
SECRET = "an app secret"
anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)


@pytest.mark.parametrize(
    ("fault", "native"),
    [
        (Fault(10, 5), "10/5"),
        (Fault(10, 6), "10"),
        (Fault(190, 463), "*/463"),
        (Fault(100, 0, "Invalid FBID given"), "100~fbid"),
        (Fault(100, 0, "something"), "100"),
        (Fault(200), "200-299"),
        (Fault(299), "200-299"),
        (Fault(300), "other"),
        (Fault(300, 0, "", True), "http 5xx"),
    ],
)
def test_the_most_exact_row_says_what_a_fault_means(fault: Fault, native: str) -> None:
    assert TABLE.of(fault).native == native


def test_a_fault_keeps_its_native_words() -> None:
    body = {"error": {"message": "No", "code": 300, "error_subcode": 7, "fbtrace_id": "T",
                      "error_data": {"details": "because"}}}  # fmt: skip
    fault = fault_in(msgspec.json.encode(body))
    assert fault is not None
    error, _ = TABLE.error(fault)

    assert (error.native_code, error.detail) == ("300/7", "No because (fbtrace_id T)")


@given(anything)
def test_no_answer_breaks_the_reading_of_faults(found: object) -> None:
    fault_in(msgspec.json.encode(found))
    fault_in(msgspec.json.encode({"error": found}))


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({}, 0),
        ({"retry-after": "7"}, 7),
        ({"retry-after": "soon"}, 0),
        ({"x-app-usage": '{"call_count":99,"total_time":3}'}, 0),
        ({"x-app-usage": '{"call_count":3,"total_time":100}'}, usage.LOOK_AGAIN),
        ({"x-page-usage": '{"call_count":120}'}, usage.LOOK_AGAIN),
        ({"x-business-use-case-usage": '{"1":[{"call_count":5,"estimated_time_to_regain_access":2}]}'}, 120),
        ({"x-business-use-case-usage": '{"1":[{"estimated_time_to_regain_access":600}]}'}, usage.LONGEST),
        ({"x-business-use-case-usage": '{"1":[{"call_count":5}]}', "retry-after": "3"}, 3),
        ({"x-app-usage": "nonsense"}, 0),
        ({"x-business-use-case-usage": "[1]"}, 0),
    ],
)
def test_headers_say_how_long_to_leave_the_far_end_alone(headers: dict[str, str], seconds: float) -> None:
    assert usage.pause_of(headers) == seconds


def test_the_most_used_share_is_what_counts() -> None:
    headers = {"x-app-usage": '{"call_count":10}', "x-business-use-case-usage": '{"1":[{"total_cputime":44}]}'}

    assert usage.most_used(headers) == 44


@given(anything)
def test_no_header_breaks_the_reading_of_rates(found: object) -> None:
    text = msgspec.json.encode(found).decode()

    assert usage.pause_of(dict.fromkeys((*usage.PLAIN, usage.BUSINESS), text)) >= 0


def test_refusals_without_a_time_are_waited_for_longer_each_time() -> None:
    pauses = [usage.after_refusal(times) for times in range(1, 20)]

    assert pauses[:3] == [300, 600, 1200]
    assert max(pauses) == usage.LONGEST


@given(st.integers(1, 2**63 - 1), st.integers(0, 999_999), st.integers(0, 8))
def test_a_reference_comes_back_as_it_was_named(request: int, ordinal: int, part: int) -> None:
    reference = Reference(request, ordinal, part, part + 1)

    assert webhook.referred(webhook.named(reference, SECRET), SECRET) == reference


@pytest.mark.parametrize("text", ["", "hg1.0.0.1", "hg1.0.0.1.0000000000000000", "something of a person"])
def test_what_is_no_reference_of_ours_is_none(text: str) -> None:
    assert webhook.referred(text, SECRET) is None


def test_a_reference_of_another_secret_is_none() -> None:
    assert webhook.referred(webhook.named(Reference(1, 0), "another"), SECRET) is None


def verified(**query: str) -> webhook.Hooked:
    return webhook.verification(HookCall("GET", query, {}, b""), "word")


def test_the_check_of_the_url_is_answered_with_the_challenge() -> None:
    found = verified(**{"hub.mode": "subscribe", "hub.verify_token": "word", "hub.challenge": "1158201444"})

    assert (found.refused, found.body) == ("", b"1158201444")


@pytest.mark.parametrize(
    "wrong", [{"hub.verify_token": "other"}, {"hub.mode": "x"}, {"hub.challenge": ""}, {"hub.challenge": "x" * 300}]
)
def test_a_wrong_check_of_the_url_is_refused(wrong: dict[str, str]) -> None:
    right = {"hub.mode": "subscribe", "hub.verify_token": "word", "hub.challenge": "1"}

    assert verified(**{**right, **wrong}).refused


@pytest.mark.parametrize(
    ("headers", "method"),
    [
        ({}, "POST"),
        ({"x-hub-signature-256": "sha256=00"}, "POST"),
        ({"x-hub-signature-256": webhook.signature("another", b"{}")}, "POST"),
        ({"x-hub-signature-256": webhook.signature(SECRET, b"{} ")}, "POST"),
        ({"x-hub-signature-256": webhook.signature(SECRET, b"{}")}, "PUT"),
    ],
)
def test_a_call_that_is_not_signed_right_is_not_believed(headers: dict[str, str], method: str) -> None:
    assert webhook.refusal(HookCall(method, {}, headers, b"{}"), SECRET)


def test_a_signed_call_is_believed() -> None:
    headers = {webhook.SIGNATURE: webhook.signature(SECRET, b"{}")}

    assert webhook.refusal(HookCall("POST", {}, headers, b"{}"), SECRET) == ""


def test_an_empty_secret_signs_nothing() -> None:
    assert not webhook.same("", "")


@pytest.mark.parametrize(
    ("address", "what"),
    [
        ("9990007302", Asked("7302")),
        ("9990017302", Asked("7302", later=True)),
        ("9990027010", Asked("7010")),
        ("person-sim-7010", Asked("7010")),
        ("sim-7010-2", Asked("7010")),
        ("x-seq-7301", Asked("7301", later=True)),
        ("1257357297610042", Asked()),
        ("99900073", Asked()),
    ],
)
def test_an_address_chooses_the_outcome(address: str, what: Asked) -> None:
    assert asked(address) == what


async def test_a_thread_takes_one_message_at_a_time_in_order() -> None:
    threads = Threads(lambda: 0.0)
    done: list[str] = []

    async def send(to: str, name: str, seconds: float) -> None:
        async with threads.turn(to):
            await asyncio.sleep(seconds)
            done.append(name)

    await asyncio.gather(send("a", "a1", 0.02), send("a", "a2", 0), send("b", "b1", 0), send("a", "a3", 0))

    assert done == ["b1", "a1", "a2", "a3"]
    assert threads._last == {}


def test_a_thread_rests_for_as_long_as_it_was_told() -> None:
    now = [100.0]
    threads = Threads(lambda: now[0])
    threads.pause("a", 5)

    assert (threads.paused("a"), threads.paused("b")) == (5, 0)
    now[0] = 105.5
    assert threads.paused("a") == 0


def test_credentials_of_the_sandbox_name_their_lane_and_never_are_the_real_ones() -> None:
    given = {"page_id": "7", "token": "EAAreal", "app_secret": "real", "tags": ["A"]}
    made = account.simulated(given, "demo/a_1~sandbox", Peer("127.0.0.1", 80), "page_id", "token")

    assert account.lane_of(made["token"]) == "demo/a_1~sandbox"
    assert (made["page_id"], made["tags"], made["endpoint"]) == ("7", ["A"], "http://127.0.0.1:80")
    assert "real" not in str(made)


@pytest.mark.parametrize("token", ["", "EAAB", "sim.zz", "xsim.61"])
def test_a_token_that_is_not_made_up_names_no_lane(token: str) -> None:
    assert account.lane_of(token) == ""


@pytest.mark.parametrize(
    ("more", "fault"),
    [
        ({"node": ""}, "node is missing: the page"),
        ({"node": "a b"}, "node has a blank"),
        ({"window": 0}, "window must be"),
        ({"throughput": "fast"}, "throughput must be"),
        ({"endpoint": "http://graph.example"}, "endpoint must be an https URL"),
        ({"endpoint": "graph.example"}, "endpoint: "),
        ({"version": "25"}, "version must look like"),
    ],
)
def test_a_wrong_option_is_named(more: dict[str, object], fault: str) -> None:
    [found] = account.faults({"node": "1", **more}, {"node": "the page"})

    assert found.startswith(fault)


def test_the_token_stands_in_no_url() -> None:
    found = account.account({"node": "1", "token": "EAAsecret", "app_secret": "s"}, "node", "token")

    assert "EAAsecret" not in found.url("messages")
    assert found.url("messages").startswith("https://graph.facebook.com/v25.0/1/messages?appsecret_proof=")


@pytest.mark.parametrize(("left", "warns"), [(0, True), (86_400, True), (30 * 86_400, False)])
def test_a_token_that_ends_soon_is_warned_of(left: int, warns: bool) -> None:
    standing = credentials.Standing("good until then", 1_893_456_000)
    now_ms = (1_893_456_000 - left) * 1000

    assert bool(credentials.warning(standing, now_ms)) is warns


def test_a_token_without_an_end_is_not_warned_of() -> None:
    assert credentials.warning(credentials.Standing("good, without an end"), 0) == ""
