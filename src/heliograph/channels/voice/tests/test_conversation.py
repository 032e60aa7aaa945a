"""A call flow followed: what is played, asked, branched, told, transferred."""

from __future__ import annotations

import asyncio
from typing import Any

import msgspec
import pytest

from heliograph.channels.voice.flow.conversation import TURNS_MOST, Conversation
from heliograph.channels.voice.flow.reading import flow_faults, read_flow
from heliograph.channels.voice.leg import Keypad
from heliograph.channels.voice.record import Record
from heliograph.channels.voice.sound.store import Sound, SoundError


class FakePhone:
    """A far end: what was played; `presses` are pressed when the sound of that name begins."""

    def __init__(
        self, presses: dict[str, str] | None = None, *, takes_digits: bool = True, transfer: int = 200
    ) -> None:
        self.played: list[str] = []
        self.pressed = ""
        self.transfers: list[str] = []
        self.keypad = Keypad()
        self._presses = presses or {}
        self._takes_digits, self._transfer = takes_digits, transfer
        self._playing: asyncio.Future[bool] | None = None

    def play(self, samples: bytes) -> asyncio.Future[bool]:
        loop = asyncio.get_running_loop()
        self.played.append(samples.decode())
        self._playing = playing = loop.create_future()
        keys = self._presses.get(samples.decode(), "")
        for key in keys:
            self.keypad.push(key)
        if not keys:
            loop.call_later(0.01, lambda: playing.done() or playing.set_result(True))
        return playing

    def hush(self) -> None:
        if self._playing is not None and not self._playing.done():
            self._playing.set_result(False)

    async def take(self) -> str:
        return await self.keypad.take()

    async def heard(self) -> None:
        await self.keypad.wait()

    async def press(self, digits: str) -> bool:
        self.pressed += digits
        return self._takes_digits

    async def transfer(self, to: str, seconds: float) -> tuple[int, str]:
        self.transfers.append(to)
        return self._transfer, "Said"


class FakeLibrary:
    """Sounds whose samples are their names."""

    def __init__(self, missing: str = "") -> None:
        self.made: list[str] = []
        self._missing = missing

    async def prompt(self, name: str) -> Sound:
        if name == self._missing:
            raise SoundError(f"there is no prompt {name}")
        self.made.append(name)
        return Sound(f"[{name}]".encode())

    async def spoken(self, text: str, language: str) -> Sound:
        self.made.append(f"{language}:{text}")
        return Sound(text.encode())


class Ran:
    """A flow, followed to its end."""

    def __init__(
        self, steps: list[Any], phone: FakePhone, parameters: dict[str, object], library: FakeLibrary
    ) -> None:
        declared = {"id": "184", "steps": steps}
        assert list(flow_faults(declared)) == []
        self.phone, self.library = phone, library
        self.record = Record(lambda: 1_000)
        self.told: list[tuple[str, Any]] = []
        self.talk = Conversation(read_flow(declared), parameters, library, self.record, "en")
        self.by = ""

    async def tell(self, url: str, body: bytes) -> str:
        self.told.append((url, msgspec.json.decode(body)))
        return "HTTP 200"

    async def run(self) -> None:
        await self.talk.prepare()
        self.by = await self.talk.run(self.phone, self.tell, call="c@h", to="4477", sender="4420")
        await self.talk.told()

    @property
    def notes(self) -> list[str]:
        return [step.what for step in self.record.steps]


async def run(
    *steps: Any, phone: FakePhone | None = None, library: FakeLibrary | None = None, **parameters: object
) -> Ran:
    ran = Ran(list(steps), phone or FakePhone(), parameters, library or FakeLibrary())
    await asyncio.wait_for(ran.run(), 10)
    return ran


async def test_what_is_said_and_played_comes_in_order_with_its_values() -> None:
    ran = await run({"say": "Hello ${name}"}, {"play": "7"}, {"say": "Bye", "language": "de"}, name="Ann")

    assert ran.phone.played == ["Hello Ann", "[7]", "Bye"]
    assert ran.library.made[:3] == ["en:Hello Ann", "7", "de:Bye"]
    assert ran.by == "flow"
    assert ran.record.played == ['"Hello Ann"', "7", '"Bye"']


async def test_a_placeholder_without_a_value_is_left_out() -> None:
    assert (await run({"say": "Hello ${name}!"})).phone.played == ["Hello !"]


async def test_nothing_comes_after_a_hangup() -> None:
    assert (await run({"say": "a"}, {"hangup": True}, {"say": "b"})).phone.played == ["a"]


async def test_sounds_are_ready_before_the_call_unless_their_words_come_of_it() -> None:
    ran = Ran(
        [{"say": "a"}, {"gather": {"say": "b", "into": "x"}}, {"say": "${x}"}, {"play": "${digits}"}],
        FakePhone(), {}, FakeLibrary(),
    )  # fmt: skip
    await ran.talk.prepare()

    assert ran.library.made == ["en:a", "en:b"]


async def test_a_sound_that_is_missing_is_told_before_the_call() -> None:
    ran = Ran([{"play": "8"}], FakePhone(), {}, FakeLibrary(missing="8"))

    with pytest.raises(SoundError):
        await ran.talk.prepare()


MENU = [
    {"label": "menu"},
    {"gather": {"say": "Press", "timeout": 0.1, "between": 0.1, "branches": {"1": "one", "2": "two"}, "tries": 2,
                "none": "silence", "other": "wrong"}},
    {"label": "one"}, {"say": "one"}, {"hangup": True},
    {"label": "two"}, {"say": "two"}, {"hangup": True},
    {"label": "silence"}, {"say": "silence"}, {"hangup": True},
    {"label": "wrong"}, {"say": "wrong ${digits}"},
]  # fmt: skip


@pytest.mark.parametrize(
    ("pressed", "said"),
    [
        ("1", ["Press", "one"]),
        ("2", ["Press", "two"]),
        ("", ["Press", "Press", "silence"]),
        ("9", ["Press", "Press", "wrong 9"]),
    ],
)
async def test_digits_choose_the_branch(pressed: str, said: list[str]) -> None:
    ran = await run(*MENU, phone=FakePhone({"Press": pressed}))

    assert ran.phone.played == said


async def test_the_first_digit_cuts_the_question_short() -> None:
    ran = await run({"gather": {"say": "a very long question"}}, {"say": "${digits}"},
                    phone=FakePhone({"a very long question": "4"}))  # fmt: skip

    assert ran.phone.played == ["a very long question", "4"]


async def test_digits_may_come_before_the_question() -> None:
    phone = FakePhone()
    phone.keypad.push("7")
    ran = await run({"gather": {"say": "Press"}}, {"say": "${digits}"}, phone=phone)

    assert ran.phone.played[-1] == "7"


@pytest.mark.parametrize(
    ("pressed", "gather", "got"),
    [
        ("1234", {"length": 4}, "1234"),
        ("12345", {"length": 4}, "1234"),
        ("12#", {"length": 8, "finish": "#"}, "12"),
        ("12", {"length": 4, "between": 0.1}, "12"),
        ("#", {"length": 4, "finish": "#", "timeout": 0.1}, ""),
    ],
)
async def test_how_many_digits_are_taken(pressed: str, gather: dict[str, Any], got: str) -> None:
    ran = await run(
        {"gather": {"say": "Press", "into": "x", **gather}}, {"say": "got ${x}"}, phone=FakePhone({"Press": pressed})
    )

    assert ran.phone.played[-1] == f"got {got}".strip()
    assert ran.record.digits == ([got] if got else [])


async def test_what_is_hidden_is_in_no_record_and_in_no_notification() -> None:
    ran = await run(
        {"gather": {"say": "PIN", "length": 4, "into": "pin", "hidden": True}},
        {"say": "Your PIN is ${pin}"},
        {"notify": "https://example.com"},
        phone=FakePhone({"PIN": "1234"}),
    )

    assert ran.phone.played[-1] == "Your PIN is 1234"
    assert "1234" not in ran.record.raw() + ran.record.short()
    assert ran.told[0][1]["digits"] == "****"


async def test_variables_are_set_and_compared() -> None:
    ran = await run(
        {"set": {"a": "${name}-x"}}, {"goto": "no", "when": {"a": "Bob-x"}}, {"goto": "yes", "when": {"a": "Ann-x"}},
        {"label": "no"}, {"say": "no"}, {"hangup": True}, {"label": "yes"}, {"say": "yes ${to} ${from}"}, name="Ann",
    )  # fmt: skip

    assert ran.phone.played == ["yes 4477 4420"]


async def test_a_url_is_told_what_is_known_of_the_call() -> None:
    ran = await run(
        {"gather": {"say": "Press"}}, {"notify": {"url": "https://example.com/${name}", "data": {"who": "${name}"}}},
        phone=FakePhone({"Press": "3"}), name="Ann",
    )  # fmt: skip

    assert ran.told == [
        ("https://example.com/Ann",
         {"call": "c@h", "callflow": "184", "to": "4477", "from": "4420", "digits": "3", "data": {"who": "Ann"}})
    ]  # fmt: skip
    assert "notified: HTTP 200" in ran.notes


async def test_a_transfer_that_works_is_the_end() -> None:
    ran = await run({"transfer": "${agent}"}, {"say": "not reached"}, agent="4478")

    assert (ran.by, ran.phone.transfers, ran.phone.played) == ("transfer", ["4478"], [])
    assert ran.record.transferred == "4478 200 Said"


async def test_after_a_transfer_that_fails_the_call_goes_on() -> None:
    ran = await run({"transfer": "4478"}, {"say": "transfer ${transfer}"}, phone=FakePhone(transfer=486))

    assert (ran.by, ran.phone.played) == ("flow", ["transfer failed"])


async def test_digits_are_sent() -> None:
    ran = await run({"press": "${code}#"}, code="12")

    assert ran.phone.pressed == "12#"
    assert "sent digits" in ran.notes


async def test_a_far_end_that_takes_no_digits_is_noted() -> None:
    assert "the far end takes no digits" in (await run({"press": "1"}, phone=FakePhone(takes_digits=False))).notes


async def test_a_flow_without_end_is_ended() -> None:
    ran = await run({"label": "a"}, {"goto": "a"})

    assert f"the flow took more than {TURNS_MOST} steps and was ended" in ran.notes


async def test_a_pause_takes_its_time() -> None:
    began = asyncio.get_running_loop().time()
    await run({"pause": 0.1})

    assert asyncio.get_running_loop().time() - began >= 0.1
