"""Gates of the person behind an address: their profile, their address, what they asked for."""

from __future__ import annotations

from datetime import UTC, datetime

from heliograph.catalogue import keys
from heliograph.model.people import DndRow, Profile
from heliograph.policy.gates.case import LONGEST, PROFILE_KINDS, Looked, Target
from heliograph.policy.objects.people import first_against, stretch_of

NO_PROFILE = "no profile is known of the address"
SYSTEM_CHANNEL = "push"


def _path(profile: Profile) -> str:
    return f"{'customer' if profile.kind == 'customer' else 'app'} profile {profile.id[:LONGEST]}"


def _value(target: Target) -> str:
    return f"{target.address.kind} {target.address.value[:LONGEST]}"


def customer(target: Target) -> Looked | None:
    """7008: the customer's profile is active."""
    found = target.person.customer if target.person else None
    if found is None or found.active:
        return None
    return Looked("customer", False, "status 0", f"{_path(found)}, status", keys.INACTIVE_PROFILE)


def customer_seen(target: Target) -> tuple[str, str]:
    """For the story of who passed."""
    found = target.person.customer if target.person else None
    return ("status 1", _path(found)) if found else ("none", NO_PROFILE)


def profile(target: Target) -> Looked | None:
    """7105: an address given by a profile's id is found, and the profile has an address for the channel."""
    if target.address.kind not in PROFILE_KINDS or target.to is not None:
        return None
    found = (target.person.app or target.person.customer) if target.person else None
    channel = target.case.message.content.channel
    why = f"{_path(found)} has no address for {channel}" if found else "no profile has this id"
    return Looked("profile", False, _value(target), why, keys.PROFILE_NOT_FOUND)


def profile_seen(target: Target) -> tuple[str, str]:
    """For the story of who passed."""
    if target.address.kind not in PROFILE_KINDS:
        return _value(target), "the address is given directly"
    found = (target.person.app or target.person.customer) if target.person else None
    return f"{_value(target)}, {target.kind} {target.to}", _path(found) if found else "a simulated user"


def user(target: Target) -> Looked | None:
    """7110: the user of the app is active."""
    found = target.person.app if target.person else None
    if found is None or found.active:
        return None
    return Looked("user", False, "status 0", f"{_path(found)}, status", keys.USER_NOT_ACTIVE)


def user_seen(target: Target) -> tuple[str, str]:
    """For the story of who passed."""
    found = target.person.app if target.person else None
    return ("status 1", _path(found)) if found else ("none", NO_PROFILE)


def _who_demands(target: Target) -> str:
    """What in the workspace lets messages go to verified profiles only; "" where nothing does."""
    case = target.case
    if case.facts.tenant.verified_only:
        return f"{case.tenant_path}.verified_only"
    app = case.used_app
    return f"{case.tenant_path}.apps[{app.id}].verified_only" if app and app.verified_only else ""


def verified(target: Target) -> Looked | None:
    """7116: the profile is verified, where the tenant or the app sends to such only."""
    who = _who_demands(target)
    if not who:
        return None
    found = (target.person.app or target.person.customer) if target.person else None
    if found is not None and found.verified:
        return None
    value = f"{_path(found)} is not verified" if found else NO_PROFILE
    return Looked("verified", False, value, who, keys.PROFILE_NOT_VERIFIED)


def verified_seen(target: Target) -> tuple[str, str]:
    """For the story of who passed."""
    who = _who_demands(target)
    return ("verified", who) if who else ("not asked for", f"{target.case.tenant_path}.verified_only")


def system(target: Target) -> Looked | None:
    """7119: it is known what the user's app runs on, where that decides what is sent."""
    found = target.person.app if target.person else None
    if found is None or found.os or target.case.message.content.channel != SYSTEM_CHANNEL:
        return None
    return Looked("system", False, "os is not set", f"{_path(found)}, os", keys.OS_DETAILS_MISSING)


def system_seen(target: Target) -> tuple[str, str]:
    """For the story of who passed."""
    found = target.person.app if target.person else None
    return (found.os or "not needed", _path(found)) if found else ("none", NO_PROFILE)


def token(target: Target) -> Looked | None:
    """7512: a user that pushes are for has told where they go. 7513: and is still reached there."""
    found = target.person.app if target.person and target.address.kind in PROFILE_KINDS else None
    if found is None or found.devices or target.case.message.content.channel != SYSTEM_CHANNEL:
        return None
    path = f"{_path(found)}, pushId"
    if found.gone:
        return Looked("token", False, "the far end says that it is dead", path, keys.UNREGISTERED_DEVICE)
    return Looked("token", False, "pushId is not set", path, keys.INVALID_PUSH_ID)


def token_seen(target: Target) -> tuple[str, str]:
    """For the story of who passed."""
    found = target.person.app if target.person and target.address.kind in PROFILE_KINDS else None
    return (f"{len(found.devices)} devices", _path(found)) if found else ("not needed", NO_PROFILE)


def address_form(target: Target) -> Looked | None:
    """7102: the address has the channel's form."""
    if target.to is not None:
        return None
    path = f"form of an address of {target.case.message.content.channel}"
    return Looked("address", False, _value(target), path, keys.INVALID_ADDRESS)


def address_seen(target: Target) -> tuple[str, str]:
    """For the story of who passed."""
    return f"{target.kind} {(target.to or '')[:LONGEST]}", "form of an address of the channel"


def _rows(target: Target) -> tuple[DndRow, ...]:
    """Every entry of the list for the address, or for the id that the call gave instead."""
    declared, stored = target.case.facts.declared.dnd, target.known.dnd
    to, given = target.to or "", target.address.value
    rows = (*declared.get(to, ()), *stored.get(to, ()))
    return rows if given == to else (*rows, *declared.get(given, ()), *stored.get(given, ()))


def dnd(target: Target) -> Looked | None:
    """7109: the person has not asked to be left alone."""
    if not (target.case.facts.declared.dnd or target.known.dnd):
        return None
    rows = _rows(target)
    if not rows:
        return None
    case = target.case
    row = first_against(rows, case.message.content.channel, case.category, case.facts.tenant.dnd_exempt, case.now_ms)
    if row is None:
        return None
    target.opens = row.expires
    path = f"{case.tenant_path}.dnd[{row.address[:LONGEST]}]"
    return Looked("dnd", False, _said(row), path, keys.USER_IN_DND)


def _said(row: DndRow) -> str:
    """A row for people: what it is for, how and when it came there, until when it holds."""
    pieces = [f"{row.channel or 'every channel'}, {row.category or 'every category'}", f"by {row.origin}"]
    if row.reason:
        pieces.append(row.reason[:LONGEST])
    if row.since:
        pieces.append(f"since {_day(row.since)}")
    if row.expires:
        pieces.append(f"until {_day(row.expires)}")
    return ", ".join(pieces)


def _day(moment: int) -> str:
    return datetime.fromtimestamp(moment / 1_000, UTC).strftime("%Y-%m-%dT%H:%MZ")


def dnd_seen(target: Target) -> tuple[str, str]:
    """For the story of who passed."""
    count = len(_rows(target))
    value = f"{count} entr{'y' if count == 1 else 'ies'}, none against it" if count else "not on the list"
    return value, f"{target.case.tenant_path}.dnd"


def frequency(target: Target) -> Looked | None:
    """7109 as `frequency_cap`: the person has not had as many messages as they are to get."""
    case, sent = target.case, target.known.sent
    for cap in case.facts.declared.caps if sent else ():
        count = sent.get((cap.name, target.to or ""), 0)
        if count >= cap.declared.most and cap.is_for(case.message.content.channel, case.category):
            target.opens = stretch_of(cap.declared, case.now_ms, case.facts.tenant.timezone)[1]
            value = f"frequency_cap: {count} of {cap.declared.most} a {cap.declared.per}"
            path = f"{case.tenant_path}.frequency_caps[{cap.place}]"
            return Looked("frequency", False, value, path, keys.USER_IN_DND)
    return None


def frequency_seen(target: Target) -> tuple[str, str]:
    """For the story of who passed."""
    case, to = target.case, target.to or ""
    caps = [cap for cap in case.facts.declared.caps if cap.is_for(case.message.content.channel, case.category)]
    counts = ", ".join(
        f"{target.known.sent.get((cap.name, to), 0)} of {cap.declared.most} a {cap.declared.per}" for cap in caps
    )
    return counts or "no cap for it", f"{case.tenant_path}.frequency_caps"
