"""The words of deliveryStatus, whom to tell, and the inbound body."""

import json

import pytest

from heliograph import catalogue
from heliograph.model.message import Content, Message
from heliograph.model.outcome import Inbound, State
from heliograph.model.workspace import STATES, Notify, Service
from heliograph.policy.telling import delivery_status, inbound_body, target


@pytest.mark.parametrize(
    ("channel", "key", "state", "word"),
    [
        ("sms", "submitted", State.SUBMITTED, "Submitted"),
        ("sms", "delivered", State.DELIVERED, "Delivered"),
        ("fb", "read", State.READ, "Read"),
        ("sms", "unknown_subscriber", State.FAILED, "Un-Delivered"),
        ("sms", "unknown_status", State.LAPSED, "Un-Delivered"),
        ("sms", "user_in_dnd", State.FAILED, "Failed"),
        ("sms", "provider_exception", State.FAILED, "Failed"),
        ("sms", "request_expired", State.FAILED, "Failed"),
        ("push", "unregistered", State.FAILED, "Failed"),
        ("voice", "submitted", State.SUBMITTED, "Submitted"),
        ("voice", "delivered", State.DELIVERED, "Answered"),
        ("voice", "call_not_answered", State.FAILED, "Rejected"),
        ("voice", "call_failed_other", State.FAILED, "Rejected"),
        ("voice", "invalid_address", State.FAILED, "Failed"),
        ("push", "call_failed_other", State.FAILED, "Failed"),
        ("wechat", "wechat_text_empty", State.FAILED, "Failed"),
        ("rt", "receipt_expired", State.LAPSED, "Failed"),
        ("sms", "", State.QUEUED, ""),
        ("sms", "", State.SENDING, ""),
    ],
)
def test_delivery_status(channel: str, key: str, state: State, word: str) -> None:
    assert delivery_status(channel, key, state) == word


@pytest.mark.parametrize("row", [row for row in catalogue.ROWS if row.api == "Messaging"], ids=lambda row: row.key)
def test_every_failure_has_a_word_a_service_can_choose(row: catalogue.Row) -> None:
    assert {delivery_status(channel, row.key, State.FAILED) for channel in ("sms", "voice", "fb")} <= set(STATES)


def service(url: str = "http://service/", states: tuple[str, ...] = STATES) -> Service:
    return Service(id="s", notify=Notify(url=url, states=states))


@pytest.mark.parametrize(
    ("case", "own", "of", "word", "url"),
    [
        ("the service's", "", service(), "Delivered", "http://service/"),
        ("the request's wins", "http://own/", service(), "Delivered", "http://own/"),
        ("nobody asked", "", service(url=""), "Delivered", ""),
        ("not this word", "http://own/", service(states=("Failed",)), "Delivered", ""),
        ("nothing to tell", "http://own/", service(), "", ""),
        ("the service is gone", "", None, "Failed", ""),
        ("the service is gone, the request has its own", "http://own/", None, "Failed", "http://own/"),
    ],
)
def test_target(case: str, own: str, of: Service | None, word: str, url: str) -> None:
    assert target(Message(content=Content(channel="sms"), addresses=(), notify_url=own), of, word) == url


def test_the_inbound_sms_body_member_by_member() -> None:
    inbound = Inbound("smsc", "sms", "447700900001", "60123", "Grüße", {"network": "23415"})
    assert json.loads(inbound_body(inbound, "tid-1", 1_893_456_000_007)) == {
        "userId": "447700900001",
        "channel": "SMS",
        "oa": "447700900001",
        "da": "60123",
        "message": "Grüße",
        "tid": "tid-1",
        "datetime": "2030-01-01 00:00:00",
        "ts": "1893456000007",
        "timeStamp": "2030-01-01T00:00:00.007Z",
        "x_networkid": "23415",
    }
