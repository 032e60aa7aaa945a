"""What a tenant declares of the events its callers send, and of the hooks that others call."""

from __future__ import annotations

from typing import Any, Literal

from heliograph.model.automation.declared import Condition
from heliograph.model.policies.part import Part

ParameterType = Literal["string", "number", "boolean", "date", "datetime", "msisdn", "email", "json"]


class Parameter(Part, frozen=True):
    """A parameter of an event. A `mandatory` one must be there and not empty, unless it has a `default`, which stands
    for one that is absent."""

    name: str
    type: ParameterType = "string"
    mandatory: bool = False
    default: Any = None


class EventSpec(Part, frozen=True):
    """An event that callers send by its `id`. `services` may send it (none named: all)."""

    id: str
    name: str = ""
    services: tuple[str, ...] = ()
    parameters: tuple[Parameter, ...] = ()


class Signature(Part, frozen=True):
    """How calls of a hook are signed: the HMAC of the raw body with the `secret`, in hexadecimal digits, stands in a
    header."""

    secret: str
    header: str = "x-hub-signature"
    algorithm: Literal["sha256", "sha512"] = "sha256"


class Hook(Part, frozen=True):
    """A URL that others call with any JSON or XML. `auth` says whether it takes a service key or token of its
    service; only what fulfils `when` sets rules off; pages of the origins in `cors` may call it."""

    id: str
    service: str
    name: str = ""
    status: Literal["active", "inactive"] = "active"
    auth: Literal["none", "key", "jwt"] = "none"
    signature: Signature | None = None
    when: tuple[Condition, ...] = ()
    cors: tuple[str, ...] = ()
    max_bytes: int = 256 * 1024
