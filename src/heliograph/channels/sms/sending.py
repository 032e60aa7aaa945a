"""One message under way: which of its parts were answered how, and what that makes of the whole."""

from __future__ import annotations

from heliograph.catalogue import keys
from heliograph.channels.sms.encoding import Templates
from heliograph.channels.sms.outcomes import TABLE
from heliograph.model.channel import Outbound
from heliograph.model.outcome import SendError, Submitted

PART_TRIES = 8
"""How often one throttled part of a long message is sent before the message counts as refused."""


class Sending:
    """A message between `submit` and `settled`; `left` counts the parts whose fate is still open."""

    __slots__ = ("ids", "left", "lost", "native", "outbound", "refusal", "taken", "templates", "throttled")

    def __init__(self, outbound: Outbound, templates: Templates) -> None:
        self.outbound = outbound
        self.templates = templates
        self.left = len(templates)
        self.ids: tuple[str, ...] = ()
        self.native: tuple[bytes, ...] = ()
        self.refusal: SendError | None = None
        self.lost = ""
        self.taken = 0
        self.throttled = 0

    @property
    def joined(self) -> bool:
        """Whether the message has several parts or carries its text in a TLV."""
        return len(self.templates) > 1 or bool(self.templates[0].message.tlvs)

    def exchange(self, index: int, sequence: int, answer: bytes) -> None:
        """Keep what went over the wire for a part."""
        request = self.templates[index].encode(sequence, self.outbound.to)
        self.native += (request, answer) if answer else (request,)

    def took(self, index: int, native_id: str) -> None:
        """The far end has this part."""
        if not self.ids:
            self.ids = tuple(self._unnamed(number) for number in range(len(self.templates)))
        name = native_id or self._unnamed(index)
        self.ids = (*self.ids[:index], name, *self.ids[index + 1 :]) if len(self.ids) > 1 else (name,)
        self.taken += 1
        self.left -= 1

    def _unnamed(self, index: int) -> str:
        """What stands for an id that the far end did not give, so that nothing is taken for its receipt."""
        return f"none:{self.outbound.request}:{self.outbound.ordinal}:{index}"

    def refused(self, error: SendError) -> None:
        """The far end refused this part; the first refusal is the one told."""
        self.refusal = self.refusal or error
        self.left -= 1

    def unanswered(self, why: str) -> None:
        """This part was written and will not be answered."""
        self.lost = self.lost or why
        self.left -= 1

    def dropped(self) -> None:
        """This part was not written."""
        self.left -= 1

    def result(self, resend: bool) -> Submitted | SendError:
        """What became of the message, when nothing is left."""
        refusal = self.refusal
        if refusal is None and not self.lost and self.taken == len(self.templates):
            return Submitted(self.ids, self.native)
        if refusal is not None and (self.taken or self.lost):
            detail = f"{self.taken} of {len(self.templates)} parts accepted; {refusal.detail}".rstrip("; ")
            return SendError(keys.MULTIPART_FAILED, "no", refusal.native_code, detail, self.native)
        if refusal is not None:
            return SendError(refusal.key, refusal.retry, refusal.native_code, refusal.detail, self.native)
        if self.taken and not self.lost:
            detail = f"{self.taken} of {len(self.templates)} parts accepted, then the bind was lost"
            return SendError(keys.MULTIPART_FAILED, "no", "", detail, self.native)
        if self.lost:
            unanswered = TABLE.links["unanswered"]
            return SendError(unanswered.key, "resend" if resend else unanswered.retry, "", self.lost, self.native)
        unwritten = TABLE.links["unwritten"]
        return SendError(unwritten.key, unwritten.retry, "", "the bind was lost before it was sent")
