"""The far ends of one app: a sender for each system, and how each is faring. Push services of browsers are faring
each for itself."""

from __future__ import annotations

from typing import Any

from heliograph.channels.push.far_ends.apns import Apns
from heliograph.channels.push.far_ends.base import Sender
from heliograph.channels.push.far_ends.fcm import Fcm
from heliograph.channels.push.far_ends.line import Line
from heliograph.channels.push.far_ends.webpush import WebPush
from heliograph.channels.push.settings import Settings
from heliograph.model.channel import Device, Tools

TIMEOUT, FAST_TIMEOUT = 10.0, 2.0  # seconds; the latter in the sandbox
SERVICES = 32  # push services of browsers that are kept apart
WARN_MS = 30 * 86_400_000  # before its end a credential is called expiring


class Lines:
    """Senders and lines of an app."""

    def __init__(self, settings: Settings, tools: Tools, window: int) -> None:
        self._lane = tools.lane
        self._fast = tools.fast
        timeout = FAST_TIMEOUT if tools.fast else TIMEOUT
        self._senders: dict[str, Sender] = {}
        self._lines: dict[str, Line] = {}
        self._web: WebPush | None = None
        if settings.android is not None:
            self._senders["android"] = Fcm(settings.android, tools, window=window, timeout=timeout)
        if settings.ios is not None:
            self._senders["ios"] = Apns(settings.ios, tools, timeout=timeout)
        if settings.web is not None:
            self._web = WebPush(settings.web, tools, window=window, timeout=timeout)
            self._senders["web"] = self._web
        for system in self._senders:
            if system != "web":
                self._lines[system] = self._line(system)

    def _line(self, name: str) -> Line:
        return Line(f"{self._lane} {name}", fast=self._fast)

    def sender(self, system: str) -> Sender:
        """Who sends to a system."""
        return self._senders[system]

    def of(self, device: Device) -> Line:
        """How the far end of a device is faring."""
        name = device.system
        if self._web is not None and name == "web":
            name = f"web {self._web.service_of(device.token)}"
        line = self._lines.get(name)
        if line is None:
            if len(self._lines) > SERVICES:
                del self._lines[next(known for known in self._lines if known.startswith("web "))]
            line = self._lines[name] = self._line(name)
        return line

    def room(self, now: float, most: int) -> int:
        """How many pushes may go to whichever takes most."""
        lines = list(self._lines.values())
        if self._web is not None and not any(name.startswith("web ") for name in self._lines):
            return most
        return max((line.room(now, most) for line in lines), default=most)

    def wait(self, now: float) -> float:
        """Seconds until one of them may be asked."""
        return min((line.wait(now) for line in self._lines.values()), default=0.0)

    async def close(self) -> None:
        """Close all connections."""
        for sender in self._senders.values():
            await sender.close()

    def status(self, now: float, now_ms: int) -> dict[str, dict[str, Any]]:
        """Each system for people: how its far end is faring, and its credentials."""
        found: dict[str, dict[str, Any]] = {}
        for system, sender in self._senders.items():
            lines = [line.status(now) for name, line in self._lines.items() if name.split(" ")[0] == system]
            states = [str(shown["state"]) for shown in lines]
            shown = next((one for one in lines if one["state"] == "error"), None)
            if shown is None:
                all_down = bool(lines) and all(state == "down" for state in states)
                shown = {**(lines[0] if lines else {}), "state": "down" if all_down else "ready"}
            errors = [error for one in lines for error in one.get("last_errors", ())]
            health = sender.health()
            health["state"] = "refused" if shown["state"] == "error" else _validity(health, now_ms)
            if health["state"] == "expired":
                shown = {**shown, "state": "error"}
            found[system] = {**shown, "last_errors": errors, "credentials": health}
        return found


def _validity(health: dict[str, Any], now_ms: int) -> str:
    """Whether a credential that ends is good: ok, expiring, expired."""
    ends = health.get("ends")
    if not isinstance(ends, int):
        return "ok"
    return "expired" if ends <= now_ms else "expiring" if ends - now_ms < WARN_MS else "ok"
