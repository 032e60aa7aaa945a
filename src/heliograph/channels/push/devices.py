"""Which devices a message goes to. Pure."""

from __future__ import annotations

import re

from heliograph.catalogue import keys
from heliograph.channels.push.far_ends.encryption import read_subscription
from heliograph.channels.push.far_ends.webpush import browser_of
from heliograph.channels.push.sandbox import simulated_device
from heliograph.channels.push.settings import Settings
from heliograph.model.channel import Device, Outbound

BROWSERS = {"chrome_pushid": "chrome", "firefox_pushid": "firefox", "safari_pushid": "safari"}
_SYSTEM_OF = {"android_pushid": "android", "ios_pushid": "ios", **dict.fromkeys(BROWSERS, "web")}
_NAMES = {"android": "android", "ios": "ios", "web": "web", **dict.fromkeys(BROWSERS.values(), "web")}
PEOPLE = frozenset({"userid", "customerid"})
"""Kinds of address that name somebody with devices."""

MOST = 200  # devices of a user
_APNS_TOKEN = re.compile(r"[0-9A-Fa-f]{64}", re.ASCII)


class Unreached(Exception):
    """There is no device to send to: the catalogue key, and why."""

    def __init__(self, key: str, detail: str) -> None:
        super().__init__(key, detail)
        self.key = key
        self.detail = detail


def devices_of(outbound: Outbound, settings: Settings) -> tuple[Device, ...]:
    """The devices behind an address; raises `Unreached`."""
    if outbound.devices:
        known = [Device(_NAMES[one.system.lower()], one.token, one.id) for one in outbound.devices if _is_known(one)]
        if not known:
            raise Unreached(keys.OS_DETAILS_MISSING, "none of the user's devices has a system that is known")
        return tuple(dict.fromkeys(known))[:MOST]
    if outbound.kind in PEOPLE:
        if not settings.sandbox:
            raise Unreached(keys.PROFILE_NOT_FOUND, "no device of the user is known")
        return (simulated_device(outbound.to, settings.systems()),)
    return (Device(_SYSTEM_OF.get(outbound.kind) or _guess(outbound.to, settings), outbound.to),)


def _is_known(device: Device) -> bool:
    return device.system.lower() in _NAMES and bool(device.token)


def _guess(token: str, settings: Settings) -> str:
    """The system of a bare `pushid`: by its form, or the only one that the app has."""
    systems = settings.systems()
    if len(systems) == 1:
        return systems[0]
    if read_subscription(token) is not None:
        return "web"
    return "ios" if _APNS_TOKEN.fullmatch(token) else "android"


def kind_of(device: Device) -> str:
    """How the address of a device is called in a call."""
    if device.system != "web":
        return f"{device.system}_pushid"
    browser = browser_of(device.token)
    return f"{browser}_pushid" if browser else "pushid"


def browser_named(kind: str) -> str:
    """The browser that a kind of address names, "" for all others."""
    return BROWSERS.get(kind, "")
