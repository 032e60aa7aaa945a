"""Holds actions against the tenant: templates, channels, services, events and attributes that they name exist."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec

from heliograph.contract.automation.around import Around
from heliograph.contract.automation.conditions import conditions_faults
from heliograph.contract.declared.names import category_faults, channel_faults, is_http, services_faults
from heliograph.contract.shape import Fault
from heliograph.model.automation import Action, CallUrl, Emit, LeaveAlone, Send, SetProfile
from heliograph.model.automation.naming import PLACE, names_in
from heliograph.model.duration import parse_duration

MOST, DEEPEST = 64, 8
LONGEST_WAIT = 31 * 86_400
MOST_CHARACTERS = 64 * 1024
_KINDS = "send, notify, profile, dnd, emit, wait, stop"


@dataclass(frozen=True, slots=True)
class Writing:
    """The rule that actions stand in: what sets it off, which service acts ("": that of the occurrence), and whether
    it says whose profile is meant."""

    known: Around
    trigger: str
    service: str
    person: bool

    def texts_faults(self, value: Any, path: str) -> Iterator[Fault]:
        """Names in texts that nothing can stand under."""
        yield from self.known.names_faults(names_in(value), self.trigger, path, person=self.person)


def actions_faults(actions: Sequence[Action], writing: Writing, path: str) -> Iterator[Fault]:
    """Every fault of a rule's actions."""
    if not actions:
        yield path, "must hold an action at least"
    if sum(map(_count, actions)) > MOST:
        yield path, f"there may be {MOST} actions at most"
        return
    yield from _several(actions, writing, path, 1)


def _count(action: Action) -> int:
    return 1 + sum(map(_count, action.otherwise))


def _several(actions: Sequence[Action], writing: Writing, path: str, depth: int) -> Iterator[Fault]:
    if depth > DEEPEST:
        yield path, f"actions may stand {DEEPEST} deep in one another at most"
        return
    for index, action in enumerate(actions):
        yield from _action_faults(action, writing, f"{path}[{index}]", depth)


def _action_faults(action: Action, writing: Writing, path: str, depth: int) -> Iterator[Fault]:
    parts = {
        name: getattr(action, name)
        for name in ("send", "notify", "profile", "dnd", "emit")
        if getattr(action, name) is not None
    }
    if len(parts) + bool(action.wait) + action.stop != 1:
        yield path, f"must be one action; there are {_KINDS}"
        return
    for name, part in parts.items():
        yield from writing.texts_faults(msgspec.to_builtins(part), f"{path}.{name}")
        yield from _FAULTS[name](part, writing, f"{path}.{name}")
    yield from conditions_faults(action.when, writing.known, writing.trigger, f"{path}.when", person=writing.person)
    if action.wait:
        yield from _duration_faults(action.wait, f"{path}.wait")
    if action.within:
        yield from _duration_faults(action.within, f"{path}.within")
        if action.send is None:
            yield f"{path}.within", "stands beside a `send` only"
    elif action.otherwise:
        yield f"{path}.otherwise", "needs `within`: how long the message has to get there"
    yield from _several(action.otherwise, writing, f"{path}.otherwise", depth + 1)


def _duration_faults(text: str, path: str) -> Iterator[Fault]:
    try:
        seconds = parse_duration(text)
    except ValueError as error:
        yield path, str(error)
        return
    if seconds > LONGEST_WAIT:
        yield path, "must be 31d at most"


def _send_faults(send: Send, writing: Writing, path: str) -> Iterator[Fault]:
    found = list(channel_faults(f"{path}.channel", send.channel))
    yield from found
    if found:
        return
    tenant = writing.known.tenant
    yield from services_faults(f"{path}.service", [send.service] if send.service else [], writing.known.services)
    yield from _binding_faults(send, writing, path)
    yield from _to_faults(send, writing, f"{path}.to")
    if send.template:
        yield from _template_faults(send, writing, f"{path}.template")
    elif not send.content:
        yield path, "must have a `template`, or `content` with the channel's object"
    if send.parameters and names_in(send.content):
        yield f"{path}.content", "may name ${...} only without `parameters`, which fill it too"
    if not 0 <= send.priority <= 5:
        yield f"{path}.priority", "must be 1 to 5, or 0 for the usual"
    if _too_long({"content": send.content, "parameters": send.parameters}):
        yield path, f"`content` and `parameters` must be {MOST_CHARACTERS} characters of JSON at most"
    if not tenant.services:
        yield path, "the tenant has no service to send by"


def _too_long(value: Any) -> bool:
    return len(json.dumps(value)) > MOST_CHARACTERS


def _binding_faults(send: Send, writing: Writing, path: str) -> Iterator[Fault]:
    """The service that acts is on the channel, as far as the rule says which one it is."""
    services = writing.known.tenant.services
    name = send.service or writing.service or (services[0].id if len(services) == 1 else "")
    acting = next((service for service in services if service.id == name), None)
    if acting is not None and send.channel not in acting.channels:
        yield f"{path}.channel", f"the service {acting.id!r} is not on the channel {send.channel}"


def _to_faults(send: Send, writing: Writing, path: str) -> Iterator[Fault]:
    if not send.to:
        yield path, "must say whom it goes to, {msisdn: ...}"
    channel = writing.known.channels.get(send.channel)
    if channel is None:
        return
    kinds = {kind.lower() for kind in (*channel.addresses, *channel.address_aliases)}
    for kind in send.to:
        if kind.lower() not in kinds:
            yield f"{path}.{kind}", f"is no address of {send.channel}; there are {', '.join(channel.addresses)}"


def _template_faults(send: Send, writing: Writing, path: str) -> Iterator[Fault]:
    identity, _, version = send.template.partition("@")
    found = [item for item in writing.known.tenant.templates if item.id == identity]
    if names_in(send.template):
        yield path, "must be the id of a template, without ${...}"
    elif not found:
        yield path, f"the tenant has no template {identity!r}"
    elif not any(item.channel == send.channel and version in ("", str(item.version)) for item in found):
        yield path, f"the template {send.template!r} is not for {send.channel}"
    elif not any(item.channel == send.channel and item.status == "active" for item in found):
        yield path, f"the template {send.template!r} is inactive"


def _notify_faults(notify: CallUrl, _: Writing, path: str) -> Iterator[Fault]:
    host = notify.url.partition("://")[2].partition("/")[0].partition("?")[0]
    if names_in(host):
        yield f"{path}.url", "may have ${...} after the host only"
    elif not is_http(PLACE.sub("x", notify.url)):
        yield f"{path}.url", "must be an absolute http or https URL"
    if _too_long(notify.body):
        yield f"{path}.body", f"must be {MOST_CHARACTERS} characters of JSON at most"


def _profile_faults(profile: SetProfile, writing: Writing, path: str) -> Iterator[Fault]:
    known = writing.known.attributes
    if known is None:
        yield path, "the tenant has no profile_store"
        return
    if not profile.customer.strip():
        yield f"{path}.customer", "must be the id of a customer"
    if not profile.attributes:
        yield f"{path}.attributes", "must hold an attribute at least"
    for name in profile.attributes:
        if name.lower() not in known or name.lower() == "customerid":
            yield f"{path}.attributes.{name}", "the profile_store has no such attribute"


def _dnd_faults(entry: LeaveAlone, _: Writing, path: str) -> Iterator[Fault]:
    if not entry.address.strip():
        yield f"{path}.address", "must be an address"
    if entry.channel:
        yield from channel_faults(f"{path}.channel", entry.channel)
    yield from category_faults(f"{path}.category", entry.category)
    if entry.expires:
        yield from _duration_faults(entry.expires, f"{path}.expires")


def _emit_faults(emit: Emit, writing: Writing, path: str) -> Iterator[Fault]:
    if emit.event not in writing.known.events:
        yield f"{path}.event", f"the tenant has no event {emit.event!r}"


_FAULTS: dict[str, Any] = {
    "send": _send_faults,
    "notify": _notify_faults,
    "profile": _profile_faults,
    "dnd": _dnd_faults,
    "emit": _emit_faults,
}
