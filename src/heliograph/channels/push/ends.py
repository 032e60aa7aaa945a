"""What a message to several devices comes to: as a whole, and device by device. Pure."""

from __future__ import annotations

import msgspec

from heliograph.catalogue import keys
from heliograph.channels.push.devices import kind_of
from heliograph.model.channel import Device
from heliograph.model.outcome import DeviceEnd, SendError, Submitted


class Tried(msgspec.Struct, frozen=True):
    """What became of one device: without an error its push was taken."""

    device: Device
    id: str
    error: SendError | None
    native: tuple[bytes, ...] = ()


def whole(tried: list[Tried], native: tuple[bytes, ...], *, named: bool) -> Submitted | SendError:
    """What the devices come to together: one that was reached is enough; else the error that may be mended by trying
    again counts, then that of a far end. With `named` it is said of each device besides, those reached first."""
    tried = sorted(tried, key=lambda one: one.error is not None)
    ends = tuple(_end(one) for one in tried) if named else ()
    reached = tuple(one.id for one in tried if one.error is None)
    if reached:
        return Submitted(reached, native, ends=ends)
    errors = sorted(
        (one.error for one in tried if one.error), key=lambda error: (error.retry == "no", not error.native_code)
    )
    first = errors[0]
    return SendError(first.key, first.retry, first.native_code, first.detail, native, first.after, ends)


def _end(one: Tried) -> DeviceEnd:
    error = one.error
    said = (keys.SUBMITTED, "") if error is None else (error.key, _said(error.native_code, error.detail))
    return DeviceEnd(kind_of(one.device), one.device.token, one.device.id, *said)


def line_of(one: Tried) -> bytes:
    """A device and its end, for the story."""
    error = one.error
    said = "taken" if error is None else _said(error.key, error.native_code, error.detail)
    return f"{one.device.system} ...{one.device.token[-8:]}: {said}".encode()


def _said(*parts: str) -> str:
    return " ".join(part for part in parts if part)
