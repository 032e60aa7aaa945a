"""Real-time messages inside an app: the passport of the channel. Its far end are connections that apps hold to us."""

from __future__ import annotations

import msgspec

from heliograph.channels.rt import settings
from heliograph.channels.rt.connector import WINDOW, RtConnector
from heliograph.channels.rt.request import INTERACTIVE, MEMBERS, MISSING_KEYS, OBJECTS, RULES
from heliograph.model.addresses import normalise_id
from heliograph.model.channel import AppUse, Channel, ConnectorKind
from heliograph.model.message import Content

USERID_CHARACTERS = 256
PAYLOAD_BYTES = 4_096  # decisions 3


def compose(content: Content, text: str) -> str:
    """The text that stands in the `message` object, or the template's."""
    message = content.fields.get("message")
    own = message.get("text") if isinstance(message, dict) else None
    return str(own or text)


def measure(content: Content, text: str) -> tuple[int, str, int]:
    """`(1, utf-8, bytes of the payload)`."""
    message = content.fields.get("message")
    rest = {name: value for name, value in message.items() if name != "text"} if isinstance(message, dict) else {}
    return 1, "utf-8", len(msgspec.json.encode({**rest, "text": text}))


APP = ConnectorKind("app", settings.check, RtConnector, settings.sandbox)
"""The one kind of connector: an app with the secrets of its users' tokens."""

CHANNEL = Channel(
    name="rt",
    wire_name="rt",
    aliases=("appmessaging",),
    path=("appmessaging",),
    rules=RULES,
    members=MEMBERS,
    objects=OBJECTS,
    missing_keys=MISSING_KEYS,
    addresses=("userid", "customerid"),
    normalise=lambda value: normalise_id(value, USERID_CHARACTERS),
    compose=compose,
    measure=measure,
    limit=PAYLOAD_BYTES,
    priority_path=("priority",),
    interactive=INTERACTIVE,
    kinds={"app": APP},
    app=AppUse("app", settings.options, WINDOW),
)
"""All the platform knows of real-time messages."""
