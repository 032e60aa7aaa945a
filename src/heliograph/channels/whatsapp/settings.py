"""The options of an app for WhatsApp: what they are, what is wrong with them, how the sandbox fills them in."""

from __future__ import annotations

from typing import Any

import msgspec

from heliograph.model.channel import Peers
from heliograph.model.workspace import App, ConnectorSpec
from heliograph.wire.graph import account

NODE, TOKEN = "phone_number_id", "access_token"
REQUIRED = {
    NODE: "the id of the phone number that sends",
    TOKEN: "the token of a system user that may send by it",
    "app_secret": "the secret of the Meta app that the token was made by",
    "verify_token": "a word of yours that is entered with the callback URL",
}
OPTIONS = (*REQUIRED, "endpoint", "version", "window", "throughput")


def options(app: App) -> dict[str, Any] | None:
    """What of an app is for WhatsApp. Members that are none of ours are left out, so that nobody sets what only the
    sandbox may set."""
    if app.whatsapp is None:
        return None
    return {name: value for name, value in app.whatsapp.items() if name in OPTIONS}


def check(spec: ConnectorSpec) -> list[str]:
    """What is wrong with the options."""
    return list(account.faults(spec.options, REQUIRED))


def sandbox(spec: ConnectorSpec, lane: str, peers: Peers) -> ConnectorSpec:
    """The same app at the stand-in."""
    return msgspec.structs.replace(
        spec, options=account.simulated(spec.options, lane, peers["whatsapp"], NODE, TOKEN)
    )
