"""The options of an app for Messenger: what they are, what is wrong with them, how the sandbox fills them in."""

from __future__ import annotations

from typing import Any

import msgspec

from heliograph.model.channel import Peers
from heliograph.model.workspace import App, ConnectorSpec
from heliograph.wire.graph import account

NODE, TOKEN = "page_id", "page_access_token"
REQUIRED = {
    NODE: "the id of the page",
    TOKEN: "the token that speaks for the page",
    "app_secret": "the secret of the Meta app that the token was made by",
    "verify_token": "a word of yours that is entered with the callback URL",
}
OPTIONS = (*REQUIRED, "endpoint", "version", "window", "throughput", "tags")


def options(app: App) -> dict[str, Any] | None:
    """What of an app is for Messenger. Members that are none of ours are left out, so that nobody sets what only the
    sandbox may set."""
    if app.messenger is None:
        return None
    return {name: value for name, value in app.messenger.items() if name in OPTIONS}


def check(spec: ConnectorSpec) -> list[str]:
    """What is wrong with the options."""
    found = list(account.faults(spec.options, REQUIRED))
    tags = spec.options.get("tags", [])
    if not isinstance(tags, list | tuple) or not all(isinstance(tag, str) for tag in tags):
        found.append("tags must be a list of message tags")
    return found


def sandbox(spec: ConnectorSpec, lane: str, peers: Peers) -> ConnectorSpec:
    """The same app at the stand-in."""
    return msgspec.structs.replace(spec, options=account.simulated(spec.options, lane, peers["graph"], NODE, TOKEN))
