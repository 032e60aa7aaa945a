"""Receipts against the samples of messaging.md 8, member by member."""

import json

import pytest

from heliograph.model.message import Address, Content, Message, Request
from heliograph.model.outcome import State
from heliograph.model.record import Notice
from heliograph.notify.envelope import receipt_body

AT = 1_469_034_797_908  # 2016-07-20T17:13:17.908Z


def request(channel: str, **more: str) -> Request:
    message = Message(content=Content(channel=channel), addresses=(), **more)
    return Request(id=1 << 40, nonce=7, tenant="t", service="s", accepted=0, messages=(message,))


def notice(key: str, state: State, kind: str, to: str, detail: str = "", ordinal: int = 0, own: str = "") -> Notice:
    return Notice(
        1,
        1 << 40,
        ordinal,
        0,
        Address(kind, to, own),
        state,
        key,
        detail,
        AT,
        "http://x/",
        "http://x:80",
        "t",
        "s",
    )


def rendered(channel: str, told: Notice, **more: str) -> dict:
    return json.loads(receipt_body(told, request(channel, **more)))


def test_the_sms_sample_member_by_member() -> None:
    told = notice("delivered", State.DELIVERED, "msisdn", "918886661353")
    assert rendered("sms", told, correlation="c-1", callback_data="cb") == {
        "deliveryInfoNotification": {
            "deliveryInfo": {
                "deliveryChannel": "SMS",
                "Description": "Delivered",
                "destinationType": "msisdn",
                "timeStamp": "2016-07-20T17:13:17.908Z",
                "code": "7500",
                "deliveryStatus": "Delivered",
                "destination": "918886661353",
                "additionalInfo": "",
            },
            "correlationid": "c-1",
            "callbackData": "cb",
            "transid": request("sms").transid(0),
            "subtid": "",
        }
    }


def test_push_adds_the_token_and_the_device() -> None:
    told = notice("read", State.READ, "ios_pushid", "<token>")
    assert rendered("push", told)["deliveryInfoNotification"]["deliveryInfo"] == {
        "timeStamp": "2016-07-20T17:13:17.908Z",
        "pushId": "<token>",
        "Description": "Read",
        "code": "7502",
        "deliveryChannel": "push",
        "destination": "<token>",
        "destinationType": "ios_pushid",
        "deviceid": "",
        "deliveryStatus": "Read",
        "additionalInfo": "",
    }


def test_push_to_a_user_has_no_token() -> None:
    told = notice("delivered", State.DELIVERED, "userid", "u1")
    assert rendered("push", told)["deliveryInfoNotification"]["deliveryInfo"]["pushId"] == ""


def test_the_twitter_failure_sample_member_by_member() -> None:
    told = notice("provider_exception", State.FAILED, "twitterid", "<id>", "Cannot find specified user.")
    assert rendered("twitter", told)["deliveryInfoNotification"]["deliveryInfo"] == {
        "timeStamp": "2016-07-20T17:13:17.908Z",
        "Description": "Service provider exception",
        "code": "7010",
        "deliveryChannel": "twitter",
        "additionalInfo": "Cannot find specified user.",
        "destination": "<id>",
        "destinationType": "twitterid",
        "deliveryStatus": "Failed",
    }


@pytest.mark.parametrize(
    ("channel", "key", "state", "expected"),
    [
        ("sms", "submitted", State.SUBMITTED, ("7501", "Submitted", "Submitted")),
        ("sms", "expired_at_operator", State.FAILED, ("7208", "Message expired", "Un-Delivered")),
        ("sms", "invalid_sender_id", State.FAILED, ("7101", "Invalid Sender ID", "Failed")),
        ("sms", "message_too_long", State.FAILED, ("7107", "Message length exceeded", "Failed")),
        ("sms", "unknown_status", State.LAPSED, ("7200", "Unknown Status", "Un-Delivered")),
        ("voice", "delivered", State.DELIVERED, ("7500", "Delivered", "Answered")),
        ("voice", "callee_busy", State.FAILED, ("7402", "Customer busy", "Rejected")),
        (
            "fb",
            "receipt_expired",
            State.LAPSED,
            ("7303", "Delivery notification of a message expired", "Failed"),
        ),
    ],
)
def test_code_description_and_status(channel: str, key: str, state: State, expected: tuple[str, ...]) -> None:
    info = rendered(channel, notice(key, state, "msisdn", "1"))["deliveryInfoNotification"]["deliveryInfo"]
    assert (info["code"], info["Description"], info["deliveryStatus"]) == expected


def test_the_transid_is_that_of_the_destination() -> None:
    told = notice("delivered", State.DELIVERED, "msisdn", "1", ordinal=3)
    assert rendered("sms", told)["deliveryInfoNotification"]["transid"] == request("sms").transid(3)


def test_the_destinations_own_correlation_id_wins() -> None:
    told = notice("delivered", State.DELIVERED, "msisdn", "1", own="mine")
    assert rendered("sms", told, correlation="theirs")["deliveryInfoNotification"]["correlationid"] == "mine"


@pytest.mark.parametrize(
    "data", ["", '{"a": "b"}', "Grüße ☃ 😀", 'quote " back \\ slash', "\x00\x1f\u2028", " blanks "]
)
def test_callback_data_comes_back_byte_for_byte(data: str) -> None:
    told = notice("delivered", State.DELIVERED, "msisdn", "1")
    assert rendered("sms", told, callback_data=data)["deliveryInfoNotification"]["callbackData"] == data


BUTTONS = {"category": "DOUBLE_YES_NO", "pushref": "ui"}


@pytest.mark.parametrize(
    ("channel", "fields", "pushref"),
    [
        ("push", {"interactive": BUTTONS}, "ui"), ("rt", {"notification": {"interactive": BUTTONS}}, "ui"),
        ("push", {"interactive": {"category": "X"}}, ""), ("push", {}, ""), ("rt", {"notification": "x"}, ""),
    ],
)  # fmt: skip
def test_a_tapped_button_stands_as_the_interaction(channel: str, fields: dict, pushref: str) -> None:
    message = Message(content=Content(channel=channel, fields=fields), addresses=())
    one = Request(id=1 << 40, nonce=7, tenant="t", service="s", accepted=0, messages=(message,))
    told = notice("read", State.READ, "ios_pushid", "tok", "tapped YES")
    info = json.loads(receipt_body(told, one))["deliveryInfoNotification"]["deliveryInfo"]

    assert info["interaction"] == {"Button_Pressed": "YES", "pushref": pushref}
    assert (info["code"], info["deliveryStatus"], info["additionalInfo"]) == ("7502", "Read", "")


@pytest.mark.parametrize(
    ("key", "state", "detail"),
    [("read", State.READ, ""), ("read", State.READ, "tapped"), ("push_unknown_error", State.FAILED, "tapped YES")],
)
def test_without_a_button_there_is_no_interaction(key: str, state: State, detail: str) -> None:
    told = notice(key, state, "ios_pushid", "tok", detail)

    assert "interaction" not in rendered("push", told)["deliveryInfoNotification"]["deliveryInfo"]
