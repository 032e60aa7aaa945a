"""The WhatsApp side of Graph, simulated: what it demands of a message, and what it says of it afterwards."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

from heliograph.wire.graph.meanings import Fault
from heliograph.wire.graph.simulated import LATER_SECONDS, asked
from heliograph.wire.graph.standin import Call, GraphStandIn, Refusal, Reply, demand, error_of, numbers
from heliograph.wire.standin import StandInKind

PORT = 8092
TEXT_CHARACTERS = 4_096
CAPTION_CHARACTERS = 1_024
BUTTONS, ROWS = 3, 10
CALLBACK_CHARACTERS = 512
SENT_AFTER, DELIVERED_AFTER, READ_AFTER = 0.0, 0.15, 0.15  # seconds
DISPLAY_NUMBER = "15550100000"

# What the Cloud API answers, by published code.
FAULTS: dict[str, tuple[int, Fault]] = {
    "7010": (400, Fault(135000, 0, "(#135000) Generic user error")),
    "7102": (400, Fault(131021, 0, "(#131021) Recipient cannot be sender")),
    "7107": (400, Fault(132005, 0, "(#132005) Translated text too long")),
    "7108": (404, Fault(132001, 0, "(#132001) Template name does not exist in the translation")),
    "7111": (400, Fault(132007, 0, "(#132007) Template format character policy violated")),
    "7121": (400, Fault(132000, 0, "(#132000) Number of parameters does not match the expected number of params")),
    "7202": (400, Fault(131009, 0, "(#131009) Parameter value is not valid")),
    "7207": (400, Fault(131026, 0, "(#131026) Message undeliverable")),
    "7210": (400, Fault(131042, 0, "(#131042) Business eligibility payment issue")),
    "7301": (400, Fault(131047, 0, "(#131047) Re-engagement message")),
    "7302": (400, Fault(80007, 0, "(#80007) Rate limit issues")),
    "7304": (403, Fault(10, 0, "(#10) Application does not have permission for this action")),
    "7305": (401, Fault(190, 463, "Error validating access token: Session has expired.")),
    "7307": (503, Fault(131016, 0, "(#131016) Service unavailable", True)),
}
SILENT = ("7303", "7501")
UNREAD = ("7500",)
KINDS = (
    "text", "image", "audio", "document", "video", "sticker", "contacts", "location", "interactive", "reaction",
    "template",
)  # fmt: skip
MEDIA = KINDS[1:6]


class WhatsAppStandIn(GraphStandIn):
    """Phone numbers, and people who receive at once and read soon."""

    def __init__(self, host: str, port: int, platform_url: str) -> None:
        super().__init__("whatsapp", take, host, port, platform_url)

    def inbound(self, call: Mapping[str, Any]) -> Any:
        """Somebody writes to the number: `{"lane", "from", "number", "text"}`; `message` instead of a text gives more
        than that."""
        message = call.get("message") or {"type": "text", "text": {"body": str(call.get("text", ""))}}
        now = str(int(time.time()))
        person = str(call.get("from", "447700900001"))
        whole = {"from": person, "id": f"wamid.IN{next(numbers):X}", "timestamp": now, **message}
        contact = {"profile": {"name": "A person"}, "wa_id": person}
        return webhook(str(call.get("number", "1")), {"contacts": [contact], "messages": [whole]})


def take(call: Call) -> Reply:
    """What becomes of a message."""
    message = call.message
    to = message.get("to")
    demand(message.get("messaging_product") == "whatsapp", "(#100) The parameter messaging_product is required.")
    demand(
        isinstance(to, str) and to.isdigit() and 6 <= len(to) <= 15, "(#131009) Parameter value is not valid", 131009
    )
    assert isinstance(to, str)  # noqa: S101
    _check(message)
    code, later = asked(to)
    if not later and code in FAULTS:
        status, fault = FAULTS[code]
        raise Refusal(fault, status)
    wamid = f"wamid.{time.time_ns():X}{next(numbers):X}"
    data = message.get("biz_opaque_callback_data")
    then: list[tuple[float, Any]] = []

    def after(seconds: float, word: str, **more: Any) -> None:
        status = {"id": wamid, "status": word, "timestamp": str(int(time.time())), "recipient_id": to, **more}
        status |= {"biz_opaque_callback_data": data} if data else {}
        then.append((seconds, webhook(call.node, {"statuses": [status]})))

    after(SENT_AFTER, "sent")
    if later and code in FAULTS:
        fault = FAULTS[code][1]
        error = {"code": fault.code, "title": fault.message, "error_data": {"details": error_of(fault)["message"]}}
        after(LATER_SECONDS, "failed", errors=[error])
    elif code not in SILENT:
        after(LATER_SECONDS if later else DELIVERED_AFTER, "delivered")
        if code not in UNREAD:
            after(READ_AFTER, "read")
    answer = {
        "messaging_product": "whatsapp",
        "contacts": [{"input": to, "wa_id": to}],
        "messages": [{"id": wamid, "message_status": "accepted"}],
    }
    return Reply(200, answer, then=tuple(then))


def webhook(number: str, value: Mapping[str, Any]) -> dict[str, Any]:
    """A change of a number as the webhook's body."""
    metadata = {"display_phone_number": DISPLAY_NUMBER, "phone_number_id": number}
    whole = {"messaging_product": "whatsapp", "metadata": metadata, **value}
    change = {"field": "messages", "value": whole}
    return {"object": "whatsapp_business_account", "entry": [{"id": "1", "changes": [change]}]}


def _check(message: Mapping[str, Any]) -> None:
    """The demands of the Cloud API."""
    kind = message.get("type", "text")
    demand(kind in KINDS, f"(#100) Param type must be one of {', '.join(KINDS)}")
    demand(message.get(kind), f"(#131008) Required parameter {kind} is missing", 131008)
    demand(len(message.get("biz_opaque_callback_data", "")) <= CALLBACK_CHARACTERS, "(#100) Param is too long")
    holder = message[kind]
    if kind == "contacts":
        demand(isinstance(holder, list), "(#100) Param contacts must be an array")
        return
    demand(isinstance(holder, dict), f"(#100) Param {kind} must be an object")
    if kind == "text":
        demand(isinstance(holder.get("body"), str) and holder["body"], "(#131008) text['body'] is missing", 131008)
        demand(len(holder["body"]) <= TEXT_CHARACTERS, "(#100) Param text['body'] must be at most 4096 characters")
    elif kind in MEDIA:
        demand(bool(holder.get("link")) != bool(holder.get("id")), "(#100) One of link and id, not both")
        demand(len(holder.get("caption", "")) <= CAPTION_CHARACTERS, "(#100) Param caption is too long")
        demand(kind not in ("audio", "sticker") or "caption" not in holder, f"(#100) {kind} has no caption")
    elif kind == "location":
        demand({"latitude", "longitude"} <= holder.keys(), "(#131008) latitude or longitude is missing", 131008)
    elif kind == "interactive":
        _check_interactive(holder)
    elif kind == "template":
        demand(holder.get("name"), "(#131008) template['name'] is missing", 131008)
        language = holder.get("language")
        demand(isinstance(language, dict) and language.get("code"), "(#131008) language['code'] is missing", 131008)


def _check_interactive(holder: Mapping[str, Any]) -> None:
    action = holder.get("action")
    demand(isinstance(action, dict) and holder.get("type"), "(#131008) type or action is missing", 131008)
    assert isinstance(action, dict)  # noqa: S101
    if holder["type"] == "button":
        buttons = action.get("buttons")
        demand(isinstance(buttons, list) and 0 < len(buttons) <= BUTTONS, "(#131009) 1 to 3 buttons", 131009)
    elif holder["type"] == "list":
        sections = action.get("sections")
        demand(isinstance(sections, list) and action.get("button"), "(#131009) sections and button", 131009)
        rows = [row for section in sections or () if isinstance(section, dict) for row in section.get("rows", ())]
        demand(0 < len(rows) <= ROWS, "(#131009) Total row count must be 1 to 10", 131009)


STAND_INS = (StandInKind("whatsapp", PORT, WhatsAppStandIn),)
