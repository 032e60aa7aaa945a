"""An account on the Graph API as a workspace declares it: where it is, whose token speaks for it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from hashlib import sha256
from typing import Any, NamedTuple
from urllib.parse import quote

from heliograph.model.channel import Peer
from heliograph.wire.addresses import HttpError, parse_url
from heliograph.wire.graph.webhook import proof

ENDPOINT, VERSION = "https://graph.facebook.com", "v25.0"
SIMULATED = "_simulated"
"""The option that the sandbox sets: the far end is the stand-in, at a private address."""

NUMBERS = {"window": (1, 1_000), "throughput": (0, 10_000)}


class Account(NamedTuple):
    """`node` is the page or the phone number that sends; `private` says that the endpoint may be at a private
    address."""

    endpoint: str
    version: str
    node: str
    token: str
    secret: str
    private: bool

    def url(self, edge: str, **query: str) -> str:
        """The URL of an edge of the node, with the proof that the call is the app's; an edge that begins with a
        slash is none of the node."""
        path = edge if edge.startswith("/") else f"/{self.node}/{edge}"
        more = "".join(f"&{name}={quote(value, safe='')}" for name, value in query.items())
        return f"{self.endpoint}/{self.version}{path}?appsecret_proof={proof(self.token, self.secret)}{more}"

    def headers(self) -> dict[str, str]:
        """The token; in a header, since URLs are written into logs."""
        return {"authorization": f"Bearer {self.token}", "accept": "application/json", "user-agent": "heliograph"}


def account(options: Mapping[str, Any], node: str, token: str) -> Account:
    """The account of checked options; `node` and `token` are the names of the options that hold those."""
    return Account(
        endpoint=str(options.get("endpoint") or ENDPOINT).rstrip("/"),
        version=str(options.get("version") or VERSION),
        node=str(options[node]),
        token=str(options[token]),
        secret=str(options["app_secret"]),
        private=options.get(SIMULATED) is True,
    )


def faults(options: Mapping[str, Any], required: Mapping[str, str]) -> Iterator[str]:
    """What is wrong with options; `required` says of each that must be there what it is."""
    for name, meaning in required.items():
        value = options.get(name)
        if not isinstance(value, str | int) or isinstance(value, bool) or not str(value).strip():
            yield f"{name} is missing: {meaning}"
        elif not str(value).isascii() or not str(value).isprintable() or " " in str(value):
            yield f"{name} has a blank or another character in it that none has"
    for name, (least, most) in NUMBERS.items():
        value = options.get(name, least)
        if isinstance(value, bool) or not isinstance(value, int | float) or not least <= value <= most:
            yield f"{name} must be a number from {least} to {most}"
    endpoint = str(options.get("endpoint") or ENDPOINT)
    try:
        if not parse_url(endpoint).secure and options.get(SIMULATED) is not True:
            yield "endpoint must be an https URL"
    except HttpError as error:
        yield f"endpoint: {error.detail}"
    version = str(options.get("version") or VERSION)
    if not (version.startswith("v") and version[1:].replace(".", "", 1).isdecimal()):
        yield "version must look like v25.0"


def simulated(options: Mapping[str, Any], lane: str, peer: Peer, node: str, token: str) -> dict[str, Any]:
    """The options of a lane of the sandbox: the stand-in's address, and credentials that name the lane. Real ones
    never leave the workspace for it."""
    return {
        **options,
        "endpoint": peer.url(),
        node: str(options.get(node) or made_up_node(lane)),
        token: f"sim.{lane.encode().hex()}",
        "app_secret": made_up_secret(lane),
        "verify_token": made_up_secret(f"verify {lane}"),
        SIMULATED: True,
    }


def lane_of(token: str) -> str:
    """The lane that a made-up token names; "" when it is none."""
    head, _, rest = token.partition("sim.")
    try:
        return "" if head else bytes.fromhex(rest).decode()
    except ValueError:
        return ""


def made_up_secret(lane: str) -> str:
    """The app secret of a lane of the sandbox: the stand-in can tell it by the token."""
    return sha256(f"heliograph sandbox {lane}".encode()).hexdigest()[:32]


def made_up_node(lane: str) -> str:
    """The page or phone number of a lane of the sandbox."""
    return str(int(sha256(lane.encode()).hexdigest()[:12], 16) + 10**15)
