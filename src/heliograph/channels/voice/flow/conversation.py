"""What is said and asked once the callee has answered: a call flow, followed step by step."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Mapping
from typing import Protocol

import msgspec

from heliograph.channels.voice.flow import steps as st
from heliograph.channels.voice.record import Record
from heliograph.channels.voice.sound.store import Sound, SoundError
from heliograph.model.placeholders import fill, missing

TURNS_MOST = 1_000  # steps of one call: a flow that goes round without end is ended
NOTIFY_SECONDS = 10.0
SHOWN = 60  # characters of a text in the record


class Phone(Protocol):
    """The call as the conversation needs it."""

    def play(self, samples: bytes) -> asyncio.Future[bool]:
        """Play samples; done when they were sent, or were cut short."""

    def hush(self) -> None:
        """Stop what plays."""

    async def take(self) -> str:
        """The next digit that is pressed."""

    async def heard(self) -> None:
        """Until a digit is there to be taken."""

    async def press(self, digits: str) -> bool:
        """Send digits; whether the far end takes any."""

    async def transfer(self, to: str, seconds: float) -> tuple[int, str]:
        """Have somebody else connected: a SIP status."""


class Library(Protocol):
    """Where sounds come from."""

    async def prompt(self, name: str) -> Sound:
        """A prompt by id, file name or URL. Raises `SoundError`."""

    async def spoken(self, text: str, language: str) -> Sound:
        """A text. Raises `SoundError`."""


class Teller(Protocol):
    """Calls URLs."""

    def __call__(self, url: str, body: bytes) -> Awaitable[str]:
        """POST JSON to a URL: what came of it, in words."""


class Notice(msgspec.Struct, frozen=True, kw_only=True):
    """The JSON that a step `notify` posts."""

    call: str
    callflow: str
    to: str
    sender: str = msgspec.field(name="from")
    digits: str
    data: dict[str, str]


class Conversation:
    """Follows one flow. `parameters` are those of the message."""

    def __init__(
        self, flow: st.Flow, parameters: Mapping[str, object], library: Library, record: Record, language: str
    ) -> None:
        self._flow = flow
        self._library = library
        self._record = record
        self._language = flow.language or language
        self._values: dict[str, object] = dict(parameters)
        self._hidden: set[str] = set()
        self._labels = flow.labels()
        self._telling: set[asyncio.Task[None]] = set()

    async def prepare(self) -> None:
        """Have every sound ready whose words are known by now, so that nobody waits for it. Raises `SoundError`."""
        given = st.assigned(self._flow) | st.BUILT_IN
        for step in self._flow.steps:
            asked = step.ask if isinstance(step, st.Gather) else step
            if isinstance(asked, st.Say | st.Play) and not given & set(missing(next(st.texts_of(asked)), {})):
                await self._sound(asked)

    async def run(self, phone: Phone, tell: Teller, *, call: str, to: str, sender: str) -> str:
        """From the first step to the end: who ends the call, `flow` or `transfer`. Raises `SoundError` when a sound
        that could not be prepared cannot be had."""
        self._values |= {"call": call, "to": to, "from": sender}
        index = 0
        for _ in range(TURNS_MOST):
            if index >= len(self._flow.steps):
                return "flow"
            step = self._flow.steps[index]
            if isinstance(step, st.Hangup):
                return "flow"
            if isinstance(step, st.Transfer) and await self._transfer(step, phone):
                return "transfer"
            label = await self._step(step, phone, tell)
            index = self._labels[label] if label else index + 1
        self._record.note(f"the flow took more than {TURNS_MOST} steps and was ended")
        return "flow"

    async def told(self) -> None:
        """Until every notification is answered or given up."""
        if self._telling:
            await asyncio.wait(self._telling)

    async def _step(self, step: st.Step, phone: Phone, tell: Teller) -> str:
        """One step: the label to go on at, "" for the next step."""
        match step:
            case st.Say() | st.Play():
                await self._play(step, phone)
            case st.Pause(seconds=seconds):
                await asyncio.sleep(seconds)
            case st.Gather():
                return await self._gather(step, phone)
            case st.Set(values=values):
                self._values |= {name: self._filled(value) for name, value in values.items()}
                self._record.note(f"set {', '.join(values)}")
            case st.Notify():
                self._notify(step, tell)
            case st.Press(digits=digits):
                sent = await phone.press(self._filled(digits))
                self._record.note("sent digits" if sent else "the far end takes no digits")
            case st.Goto(label=label, when=when):
                if all(self._text(name) == self._filled(value) for name, value in when.items()):
                    return label
        return ""

    # Sounds

    async def _sound(self, step: st.Say | st.Play) -> Sound:
        if isinstance(step, st.Play):
            return await self._library.prompt(self._filled(step.prompt))
        text = self._filled(step.text).strip()
        return await self._library.spoken(text, step.language or self._language) if text else Sound(b"")

    async def _play(self, step: st.Say | st.Play, phone: Phone) -> None:
        sound = await self._sound(step)
        begun = self._begun(step, sound)
        if not await phone.play(sound.samples):
            self._record.note(f"{begun} was cut short")

    def _begun(self, step: st.Say | st.Play, sound: Sound) -> str:
        if isinstance(step, st.Play):
            name, verb = self._shown(step.prompt), "playing"
        else:
            name, verb = f'"{self._shown(step.text)}"', "saying"
        self._record.played.append(name[:SHOWN])
        more = f" ({sound.note})" if sound.note else ""
        self._record.note(f"{verb} {name[:SHOWN]}, {sound.seconds:.1f} s{more}")
        return f"{verb} {name[:SHOWN]}"

    # Digits

    async def _gather(self, step: st.Gather, phone: Phone) -> str:
        if step.hidden:
            self._hidden.add(step.into)
        label = step.none
        for _ in range(step.tries):
            digits = await self._collect(step, phone)
            if not digits:
                self._record.note("no digit was pressed in time")
                label = step.none
                continue
            self._record.gathered(digits, step.into, hidden=step.hidden)
            self._values[step.into] = digits
            if not step.branches:
                return ""
            if digits in step.branches:
                return step.branches[digits]
            self._record.note("no branch fits")
            label = step.other
        return label

    async def _collect(self, step: st.Gather, phone: Phone) -> str:
        """The digits of one try. The first one cuts the question short; it may come before it."""
        digits = ""
        asking = asyncio.ensure_future(self._ask(step, phone))
        pressed = asyncio.ensure_future(phone.heard())
        try:
            await asyncio.wait({asking, pressed}, return_when=asyncio.FIRST_COMPLETED)
            if pressed.done():
                phone.hush()
            else:
                await asking
        finally:
            asking.cancel()
            pressed.cancel()
            await asyncio.gather(asking, pressed, return_exceptions=True)
        with contextlib.suppress(TimeoutError):
            while len(digits) < step.length:
                async with asyncio.timeout(step.between if digits else step.timeout):
                    digit = await phone.take()
                if digit == step.finish:
                    break
                digits += digit
        return digits

    async def _ask(self, step: st.Gather, phone: Phone) -> None:
        if step.ask is not None:
            sound = await self._sound(step.ask)
            self._begun(step.ask, sound)
            await phone.play(sound.samples)

    # Others

    async def _transfer(self, step: st.Transfer, phone: Phone) -> bool:
        to = self._filled(step.to)
        self._record.note(f"asking for {to} to be connected")
        code, reason = await phone.transfer(to, step.timeout)
        worked = 200 <= code < 300
        self._values["transfer"] = "ok" if worked else "failed"
        self._record.transferred = f"{to} {code} {reason}".rstrip()
        self._record.note(f"the transfer {'worked' if worked else 'failed'}: {code} {reason}".rstrip())
        return worked

    def _notify(self, step: st.Notify, tell: Teller) -> None:
        notice = Notice(
            call=self._text("call"), callflow=self._flow.id, to=self._text("to"), sender=self._text("from"),
            digits=self._record.digits[-1] if self._record.digits else "",
            data={name: self._filled(value) for name, value in step.data.items()},
        )  # fmt: skip
        task = asyncio.ensure_future(self._told(self._filled(step.url), msgspec.json.encode(notice), tell))
        self._telling.add(task)
        task.add_done_callback(self._telling.discard)

    async def _told(self, url: str, body: bytes, tell: Teller) -> None:
        self._record.note(f"notified: {await tell(url, body)}")

    # Variables

    def _filled(self, text: str) -> str:
        """A text with the values of its placeholders; one without a value is left out."""
        absent = dict.fromkeys(missing(text, self._values), "")
        return fill(text, {**self._values, **absent})

    def _shown(self, text: str) -> str:
        """A text for the record: what is hidden stays so."""
        values = {name: "*" if name in self._hidden else value for name, value in self._values.items()}
        return fill(text, {**values, **dict.fromkeys(missing(text, values), "")})

    def _text(self, name: str) -> str:
        value = self._values.get(name, "")
        return value if isinstance(value, str) else self._filled(f"${{{name}}}")


__all__ = ["Conversation", "Library", "Phone", "SoundError", "Teller"]
