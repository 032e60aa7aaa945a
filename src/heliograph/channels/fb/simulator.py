"""The Messenger side of Graph, simulated: what it demands of a message, and what it says of it afterwards."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

from heliograph.wire.graph.meanings import Fault
from heliograph.wire.graph.simulated import LATER_SECONDS, asked
from heliograph.wire.graph.standin import Call, GraphStandIn, Refusal, Reply, demand, numbers
from heliograph.wire.standin import StandInKind

PORT = 8091
TEXT_CHARACTERS = 2_000
QUICK_REPLIES = 13
METADATA_CHARACTERS = 1_000
TYPES = ("RESPONSE", "UPDATE", "MESSAGE_TAG")
ATTACHMENTS = ("image", "video", "audio", "file", "template")
ACTIONS = ("typing_on", "typing_off", "mark_seen")
NOTIFICATIONS = ("REGULAR", "SILENT_PUSH", "NO_PUSH")
DELIVERED_AFTER, READ_AFTER = 0.15, 0.15  # seconds

# What Graph answers, by published code.
FAULTS: dict[str, tuple[int, Fault]] = {
    "7010": (400, Fault(2018999, 0, "(#2018999) Something that nobody has written about")),
    "7107": (400, Fault(100, 2018109, "(#100) The attachment is too large")),
    "7202": (400, Fault(100, 0, "(#100) Param message must be non-empty")),
    "7203": (400, Fault(100, 2018001, "(#100) No matching user found")),
    "7207": (400, Fault(551, 1545041, "(#551) This person isn't available right now.")),
    "7301": (400, Fault(10, 2018278, "(#10) This message is sent outside of allowed window.")),
    "7302": (400, Fault(613, 0, "(#613) Calls to this api have exceeded the rate limit.")),
    "7304": (400, Fault(190, 0, "Error validating application. Application has been deleted.")),
    "7305": (400, Fault(190, 463, "Error validating access token: Session has expired.")),
    "7306": (400, Fault(506, 0, "(#506) Duplicate status message")),
    "7307": (500, Fault(1200, 0, "(#1200) Temporary send message failure. Please try again later.", True)),
}
# A refusal after the echo is the last word, so that it is of a kind that nobody tries again.
FAULTS_LATER = FAULTS | {"7302": (400, Fault(613, 1893016, "(#613) This person was sent too many messages."))}
SILENT = ("7303", "7501")
UNREAD = ("7500",)


class MessengerStandIn(GraphStandIn):
    """Pages, and people who receive at once and read soon."""

    def __init__(self, host: str, port: int, platform_url: str) -> None:
        super().__init__("fb", take, host, port, platform_url)

    def inbound(self, call: Mapping[str, Any]) -> Any:
        """Somebody writes to the page: `{"lane", "from", "page", "text"}`; `message` or `postback` instead of a
        text gives more than that."""
        event = {name: call[name] for name in ("message", "postback", "optin", "reaction") if name in call}
        event = event or {"message": {"mid": f"m_in{next(numbers)}", "text": str(call.get("text", ""))}}
        return webhook(str(call.get("page", "1")), str(call.get("from", "1")), event)


def take(call: Call) -> Reply:
    """What becomes of a message."""
    message = call.message
    person = message.get("recipient", {}).get("id") if isinstance(message.get("recipient"), dict) else None
    demand(isinstance(person, str) and person.isprintable() and person, "(#100) The parameter recipient is required")
    assert isinstance(person, str)  # noqa: S101
    _check(message)
    code, later = asked(person)
    if not later and code in FAULTS:
        status, fault = FAULTS[code]
        raise Refusal(fault, status)
    if "sender_action" in message:
        return Reply(200, {"recipient_id": person})
    mid = f"m_{time.time_ns():x}{next(numbers):x}"
    at_ms = time.time_ns() // 1_000_000
    echo = _echo(call, person, mid, at_ms)
    if later and code in FAULTS_LATER:
        status, fault = FAULTS_LATER[code]
        return Reply(status, Refusal(fault).reply.body, (echo,), LATER_SECONDS)
    then: list[tuple[float, Any]] = [(0.0, echo)]
    if code not in SILENT:
        then.append((LATER_SECONDS if later else DELIVERED_AFTER, _delivery(call.node, person, mid, at_ms)))
        if code not in UNREAD:
            then.append((READ_AFTER, webhook(call.node, person, {"read": {"watermark": at_ms}})))
    return Reply(200, {"recipient_id": person, "message_id": mid}, then=tuple(then))


def webhook(page: str, person: str, event: Mapping[str, Any], at_ms: int = 0) -> dict[str, Any]:
    """An event of a person as the webhook's body."""
    now = at_ms or time.time_ns() // 1_000_000
    whole = {"sender": {"id": person}, "recipient": {"id": page}, "timestamp": now, **event}
    return {"object": "page", "entry": [{"id": page, "time": now, "messaging": [whole]}]}


def _echo(call: Call, person: str, mid: str, at_ms: int) -> dict[str, Any]:
    message = {"is_echo": True, "app_id": 1, "mid": mid, **call.message["message"]}
    echo = webhook(call.node, person, {"message": message}, at_ms)
    echo["entry"][0]["messaging"][0] |= {"sender": {"id": call.node}, "recipient": {"id": person}}
    return echo


def _delivery(page: str, person: str, mid: str, at_ms: int) -> dict[str, Any]:
    """Old clients of people tell no ids, only until when: here those whose address ends in an odd digit."""
    ids = {} if person[-1] in "13579" else {"mids": [mid]}
    return webhook(page, person, {"delivery": {**ids, "watermark": at_ms}})


def _check(call: Mapping[str, Any]) -> None:
    """The demands of the Send API."""
    demand(call.get("notification_type", "REGULAR") in NOTIFICATIONS, "(#100) Param notification_type is no such")
    if "sender_action" in call:
        demand(call["sender_action"] in ACTIONS, "(#100) Param sender_action must be one of its values")
        demand("message" not in call, "(#100) A sender action goes without a message")
        return
    demand(call.get("messaging_type") in TYPES, "(#100) Param messaging_type must be one of RESPONSE, UPDATE ...")
    demand(call.get("messaging_type") != "MESSAGE_TAG" or call.get("tag"), "(#100) Param tag is missing")
    message = call.get("message")
    demand(isinstance(message, dict) and message, "(#100) The parameter message is required")
    assert isinstance(message, dict)  # noqa: S101
    text, attachment = message.get("text"), message.get("attachment")
    demand((text is None) != (attachment is None), "(#100) One of text and attachment, not both")
    demand(text is None or (isinstance(text, str) and text), "(#100) Param message[text] must be a text")
    demand(len(text or "") <= TEXT_CHARACTERS, "(#100) Length of param message[text] must be at most 2000")
    demand(len(message.get("metadata", "")) <= METADATA_CHARACTERS, "(#100) Param metadata is too long")
    _check_attachment(attachment)
    _check_replies(message.get("quick_replies", []))


def _check_attachment(found: Any) -> None:
    if found is None:
        return
    demand(isinstance(found, dict) and found.get("type") in ATTACHMENTS, "(#100) Param attachment[type] is no such")
    payload = found.get("payload")
    demand(isinstance(payload, dict) and payload, "(#100) Param attachment[payload] is required")
    wanted = "template_type" if found["type"] == "template" else "url"
    demand(payload.get(wanted) or payload.get("attachment_id"), f"(#100) Param payload[{wanted}] is required")


def _check_replies(replies: Any) -> None:
    demand(isinstance(replies, list) and len(replies) <= QUICK_REPLIES, "(#100) At most 13 quick replies")
    for reply in replies:
        demand(isinstance(reply, dict) and reply.get("content_type"), "(#100) A quick reply needs a content_type")
        if reply["content_type"] == "text":
            demand(reply.get("title") and reply.get("payload"), "(#100) A quick reply needs title and payload")


STAND_INS = (StandInKind("graph", PORT, MessengerStandIn),)
