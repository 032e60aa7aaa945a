"""Payloads that were made, kept under the identity of the body they were made of."""

from __future__ import annotations

from heliograph.channels.push import payloads
from heliograph.channels.push.devices import browser_named
from heliograph.channels.push.far_ends.webpush import browser_of
from heliograph.channels.push.payloads import Payload, Unfit
from heliograph.channels.push.settings import Settings
from heliograph.model.channel import Body, Device, Outbound

KEPT = 2_048
"""Payloads at hand."""


class Payloads:
    """Makes the payloads of an app."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._kept: dict[tuple[int, str, str], tuple[Body, Payload | Unfit]] = {}

    def of(self, outbound: Outbound, device: Device) -> Payload:
        """What goes to a device; raises `Unfit`."""
        browser = ""
        if device.system == "web":
            browser = browser_named(outbound.kind) or browser_of(device.token)
        body = outbound.body
        place = (id(body), device.system, browser)
        kept = self._kept.get(place)
        if kept is None:  # the body is kept beside it, so that its identity is not given anew
            if len(self._kept) >= KEPT:
                del self._kept[next(iter(self._kept))]
            kept = self._kept[place] = (body, self._make(body, device.system, browser))
        if isinstance(kept[1], Unfit):
            raise kept[1]
        return kept[1]

    def _make(self, body: Body, system: str, browser: str) -> Payload | Unfit:
        settings = self._settings
        try:
            if system == "android" and settings.android:
                return payloads.android(body, settings.android.style, settings.android.channel_id)
            if system == "ios" and settings.ios:
                return payloads.ios(body, settings.ios.push_type)
            return payloads.web(body, browser)
        except Unfit as unfit:
            return unfit
