"""What the contract demands of `channels.OTT-Messaging.wa`. Source: messaging.md 6.8."""

from __future__ import annotations

from typing import Any

from heliograph.catalogue import keys
from heliograph.model.rules import Condition, Members, OneOf, Required, Rule, ValueIn

MEDIA = ("image", "audio", "document", "video", "sticker")
BUTTONS = ("reply", "list", "interactive")
TYPES = ("text", *MEDIA, "contacts", "location", *BUTTONS, "reaction")

MEMBERS = ("type", *TYPES, "context", "preview_url", "identity_key_hash")
OBJECTS = (*TYPES, "context", "preview_url")
MISSING_KEYS = (keys.WHATSAPP_OTT_MISSING, keys.WHATSAPP_OBJECT_MISSING)

_MISSING = keys.WHATSAPP_CONTENT_MISSING


def of_type(name: str) -> Condition:
    """The condition that the message is of a type; without one it is a text."""

    def holds(found: dict[str, Any]) -> bool:
        given = found.get("type")
        return str(given).strip().lower() == name if given not in (None, "") else name == "text"

    return holds


def _needs(name: str, *path: str) -> Required:
    says = (".".join((name, *path)),)
    return Required((name, *path), _MISSING, when=of_type(name), note=f"when `type` is {name}", says=says)


RULES: tuple[Rule, ...] = (
    Members((), objects=tuple(name for name in (*TYPES, "context") if name != "contacts")),
    _needs("text", "body"),
    *(
        OneOf(
            ((name, "url"), (name, "id")),
            _MISSING,
            when=of_type(name),
            note=f"when `type` is {name}",
            says=(f"{name}.url",),
        )
        for name in MEDIA
    ),
    _needs("contacts"),
    _needs("location", "latitude"),
    _needs("location", "longitude"),
    _needs("reply", "body", "text"),
    _needs("reply", "action"),
    _needs("list", "body", "text"),
    _needs("list", "action"),
    _needs("interactive", "type"),
    _needs("reaction", "message_id"),
    ValueIn(("type",), {name: name for name in TYPES}, keys.INVALID_PARAM, note=", ".join(TYPES), says=("type",)),
)
