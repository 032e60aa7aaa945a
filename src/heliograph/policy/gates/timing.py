"""Gates of time: expiry, and the hours in which people may be written to."""

from __future__ import annotations

from datetime import UTC, datetime

from heliograph.catalogue import keys
from heliograph.policy.gates.case import Case, Looked, Target
from heliograph.policy.objects.hours import Phase, Timetable, zone_of
from heliograph.policy.objects.numbers import country_of, zones_of

LATE_KEYS = {
    "push": keys.EXPIRED_BEFORE_ATTEMPT,
    **dict.fromkeys(("rt", "fb", "twitter", "wechat", "whatsapp"), keys.EXPIRED_BEFORE_SENDING),
}
"""What a message that was tried and expires before it is tried again is, on channels that say so (decisions 3)."""

_REQUEST = "expiry of the request"


def _ends_otherwise(case: Case) -> bool:
    return case.attempted and case.message.content.channel in LATE_KEYS


def _late(case: Case) -> str:
    """How long ago the message expired; "" while it has not."""
    ends = case.message.expiry
    return f"expired {(case.now_ms - ends) / 1000:.1f} s ago" if ends and ends <= case.now_ms else ""


def expiry(case: Case) -> Looked:
    """7019: the message has not expired while it waited."""
    if (late := _late(case)) and not _ends_otherwise(case):
        return Looked("expiry", False, late, _REQUEST, keys.REQUEST_EXPIRED)
    return Looked("expiry", True, str(case.message.expiry or "none"), _REQUEST)


def attempts(case: Case) -> Looked:
    """7503, 7301: nor between two attempts."""
    if (late := _late(case)) and _ends_otherwise(case):
        return Looked("attempts", False, late, _REQUEST, LATE_KEYS[case.message.content.channel])
    return Looked("attempts", True, str(case.message.expiry or "none"), _REQUEST)


def _rule(target: Target) -> Timetable | None:
    """The first hours that are for the message and its destination."""
    case = target.case
    name, category = case.message.content.channel, case.category
    for table in case.facts.declared.hours:
        country = country_of(target.number) if table.by_country else ""
        if table.is_for(name, country, category):
            return table
    return None


def _phase(target: Target, rule: Timetable) -> tuple[Phase, tuple[str, ...], str]:
    """What holds where the destination is, the zones that say so, and how those were found. A prefix whose zones are
    never open together says nothing."""
    case, zone = target.case, rule.declared.zone
    if zone == "recipient" and target.person and zone_of(target.person.timezone):
        zones: tuple[str, ...] = (target.person.timezone,)
        return rule.phase(zones, case.now_ms), zones, "the profile"
    if zone != "tenant":
        prefix, zones = zones_of(target.number)
        phase = rule.phase(zones, case.now_ms) if zones else None
        if phase and (phase.open or phase.opens):
            return phase, zones, f"the prefix {prefix}"
    zones = (case.facts.tenant.timezone,)
    return rule.phase(zones, case.now_ms), zones, "the tenant"


def hours(target: Target) -> Looked | None:
    """7113: people are written to when it is not too late or too early where they are."""
    rule = _rule(target) if target.case.facts.declared.hours else None
    if rule is None:
        return None
    phase, zones, source = _phase(target, rule)
    if phase.open:
        return None
    target.opens = phase.opens
    if rule.declared.outside == "hold" and phase.opens:
        return None
    return Looked("hours", False, _said(target, phase, zones, source), rule.path, keys.SOCIAL_HOURS)


def hours_seen(target: Target) -> tuple[str, str]:
    """For the story of who passed."""
    rule = _rule(target)
    if rule is None:
        return "no hours for it", f"{target.case.tenant_path}.social_hours"
    phase, zones, source = _phase(target, rule)
    held = "" if phase.open else ", held until then"
    return _said(target, phase, zones, source) + held, rule.path


def _said(target: Target, phase: Phase, zones: tuple[str, ...], source: str) -> str:
    name = _shown_zone(target, zones)
    now = f"{_local(target.case.now_ms, name)} in {name} by {source}"
    if phase.open:
        return f"{now}, open"
    return f"{now}, closed; " + (f"opens {_local(phase.opens, name)}" if phase.opens else "no opening in sight")


def _shown_zone(target: Target, zones: tuple[str, ...]) -> str:
    """One of several zones, for people: the tenant's own if it is among them."""
    own = target.case.facts.tenant.timezone
    return own if own in zones or not zones else zones[-1]


def _local(moment: int, zone: str) -> str:
    return f"{datetime.fromtimestamp(moment / 1_000, zone_of(zone) or UTC):%a %Y-%m-%d %H:%M %z}"
