"""Holds every rule of a tenant against what the tenant has."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from heliograph.contract.automation.actions import Writing, actions_faults
from heliograph.contract.automation.around import PERSONAL, Around, around
from heliograph.contract.automation.conditions import conditions_faults
from heliograph.contract.automation.spreading import runs_at_most
from heliograph.contract.declared.names import channel_faults, services_faults, twice
from heliograph.contract.shape import Fault
from heliograph.model.automation import On, Rule
from heliograph.model.automation.naming import key_of, names_in
from heliograph.model.channel import Channel
from heliograph.model.policies.texts import moment_of
from heliograph.model.workspace import ALL_STATES, Tenant

MOST_RULES = 10_000
MOST_RUNS = 1_000_000  # that one occurrence may lead to, were all conditions met
PERSONS = ("customerid", "msisdn", "email")
_TRIGGERS = "event, hook, inbound, receipt, click, profile"


def rules_faults(tenant: Tenant, channels: Mapping[str, Channel], path: str) -> Iterator[Fault]:
    """Every fault of a tenant's rules, each with its place."""
    if not tenant.rules:
        return
    if len(tenant.rules) > MOST_RULES:
        yield f"{path}.rules", f"there may be {MOST_RULES} rules at most"
    yield from twice(f"{path}.rules", [rule.name for rule in tenant.rules])
    if (most := runs_at_most(tenant.rules)) > MOST_RUNS:
        yield f"{path}.rules", f"set each other off: one event could lead to {most} runs, {MOST_RUNS} at most"
    known = around(tenant, channels)
    for index, rule in enumerate(tenant.rules):
        where = f"{path}.rules[{rule.name or index}]"
        if not (0 < len(rule.name) <= 64 and rule.name.isprintable()):
            yield f"{where}.name", "must be 1 to 64 printable characters"
        yield from _rule_faults(rule, known, where)


def _rule_faults(rule: Rule, known: Around, path: str) -> Iterator[Fault]:
    trigger, _ = key_of(rule.on)
    yield from _on_faults(rule.on, known, f"{path}.on")
    yield from _time_faults(rule, path)
    if rule.service:
        yield from services_faults(f"{path}.service", [rule.service], known.services)
    elif trigger == "profile" and len(known.services) != 1:
        yield f"{path}.service", "must say which service acts, for a profile belongs to none"
    yield from _person_faults(rule, known, trigger, path)
    person = bool(rule.person)
    yield from conditions_faults(rule.when, known, trigger, f"{path}.when", person=person)
    writing = Writing(known, trigger, rule.service, person)
    yield from actions_faults(rule.then, writing, f"{path}.then")


def _on_faults(on: On, known: Around, path: str) -> Iterator[Fault]:
    given = [
        bool(on.event),
        bool(on.hook),
        *(one is not None for one in (on.inbound, on.receipt, on.click, on.profile)),
    ]
    if sum(given) != 1:
        yield path, f"must say one thing that sets the rule off; there are {_TRIGGERS}"
    if on.event and on.event not in known.events:
        yield f"{path}.event", f"the tenant has no event {on.event!r}"
    if on.hook and on.hook not in known.hooks:
        yield f"{path}.hook", f"the tenant has no hook {on.hook!r}"
    if on.inbound is not None and on.inbound.channel:
        yield from channel_faults(f"{path}.inbound.channel", on.inbound.channel)
    if on.receipt is not None:
        if on.receipt.channel:
            yield from channel_faults(f"{path}.receipt.channel", on.receipt.channel)
        for state in on.receipt.states:
            if state not in ALL_STATES:
                yield f"{path}.receipt.states", f"{state!r} is no state; there are {', '.join(ALL_STATES)}"
        for code in on.receipt.codes:
            if not (code.isascii() and code.isdigit()):
                yield f"{path}.receipt.codes", f"{code!r} is no code; codes are digits in quotes"
    if on.click is not None and on.click.link and on.click.link not in known.links:
        yield f"{path}.click.link", f"the tenant has no link {on.click.link!r}"
    if on.profile is not None:
        yield from _on_profile_faults(on.profile.attributes, known, f"{path}.profile")


def _on_profile_faults(attributes: tuple[str, ...], known: Around, path: str) -> Iterator[Fault]:
    if known.attributes is None:
        yield path, "the tenant has no profile_store"
        return
    for name in attributes:
        if name.lower() not in known.attributes:
            yield f"{path}.attributes", f"the profile_store has no attribute {name!r}"


def _time_faults(rule: Rule, path: str) -> Iterator[Fault]:
    moments = {name: moment_of(text) for name, text in (("since", rule.since), ("until", rule.until)) if text}
    for name, moment in moments.items():
        if moment is None:
            yield f"{path}.{name}", "must be a moment, 2030-01-31T12:00:00Z, or a day, 2030-01-31"
    since, until = moments.get("since"), moments.get("until")
    if since is not None and until is not None and until <= since:
        yield f"{path}.until", "must be later than `since`"


def _person_faults(rule: Rule, known: Around, trigger: str, path: str) -> Iterator[Fault]:
    if not rule.person:
        return
    if known.attributes is None:
        yield f"{path}.person", "the tenant has no profile_store"
    if len(rule.person) != 1 or not set(rule.person) <= set(PERSONS):
        yield f"{path}.person", f"must be one of {', '.join(PERSONS)} with its value"
    for kind, text in rule.person.items():
        names = names_in(text)
        yield from known.names_faults(names, trigger, f"{path}.person.{kind}", person=trigger in PERSONAL)
