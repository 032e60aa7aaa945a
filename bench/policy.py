"""How many destinations a second the policy judges on one core, beside a bare loop over the same addresses.

python bench/policy.py
"""

from __future__ import annotations

import random
import string
import time
from collections.abc import Callable

import msgspec

from heliograph.channels.sms import CHANNEL
from heliograph.model.message import Address, Content, Message
from heliograph.model.people import DndRow, Known
from heliograph.model.workspace import Document
from heliograph.policy import judge_address, judge_addresses, judge_message, story
from heliograph.policy.facts import Facts, facts_for

NOW_MS = 1_700_000_000_000
COUNT = 1_000
ROUNDS = 25
TARGET = 500_000  # destinations a second, plain digits
TARGET_ALL = 100_000  # with every policy
DND, WORDS = 1_000_000, 10_000

WORKSPACE = {
    "tenants": [
        {
            "id": "bench",
            "senders": [{"id": "HELIO", "channel": "sms"}],
            "connectors": [
                {
                    "name": "smsc", "channel": "sms", "kind": "smpp", "host": "127.0.0.1", "port": 2775,
                    "system_id": "helio", "password": "secret",
                }
            ],
            "templates": [{"id": "1", "channel": "sms", "text": "Hello ${name}, your parcel is on its way"}],
            "services": [{"id": "bench", "channels": {"sms": {"connector": "smsc", "sender": "HELIO"}}}],
        }
    ]
}  # fmt: skip


def facts() -> Facts:
    """The facts of the only service."""
    [tenant] = msgspec.convert(WORKSPACE, Document).tenants
    return facts_for(tenant, tenant.services[0], {"sms": CHANNEL})


def message(form: str = "{}") -> Message:
    """A message to a thousand numbers, each written in `form`."""
    content = Content(channel="sms", template="1", parameters={"name": "Ann"}, fields={"type": "text"})
    numbers = (form.format(447_700_900_000 + index) for index in range(COUNT))
    return Message(content=content, addresses=tuple(Address("msisdn", number) for number in numbers))


def best(work: Callable[[], object]) -> float:
    """Seconds of one run, the best of some rounds."""
    found = float("inf")
    for _ in range(ROUNDS):
        started = time.perf_counter()
        work()
        found = min(found, time.perf_counter() - started)
    return found


def bare(addresses: tuple[Address, ...]) -> list[str]:
    """The least that could be done with every destination."""
    return [address.value for address in addresses]


def everything() -> tuple[Facts, Known]:
    """A tenant that uses every policy: a million addresses that want nothing, ten thousand words, social hours with a
    rule for some countries, a rate plan, a cap; and an account with money."""
    words = ["".join(random.choices(string.ascii_lowercase, k=random.randint(5, 12))) for _ in range(WORDS)]
    plan = [{"channel": "sms", "prefix": str(prefix), "price": "0.0400"} for prefix in (1, 44, 447, 4477, 49, 91)]
    office = {"windows": [{"start": "00:00", "end": "23:59"}]}
    tenant = {
        **WORKSPACE["tenants"][0],  # type: ignore[dict-item]
        "spam_words": words,
        "social_hours": [{**office, "countries": ["US", "IN"]}, office],
        "billing": {"balance": "0", "rate_plan": plan},
        "frequency_caps": [{"most": 3, "per": "day", "channel": "sms"}],
    }
    [read] = msgspec.convert({"tenants": [tenant]}, Document).tenants
    listed = (f"4479{number:08d}" for number in range(DND))
    sent = {("day/utc/sms/", f"{447_700_900_000 + index}"): index % 3 for index in range(COUNT)}
    dnd = {address: (DndRow(address, "sms"),) for address in listed}
    return facts_for(read, read.services[0], {"sms": CHANNEL}), Known(dnd=dnd, sent=sent, balance=10**15)


def all_policies() -> None:
    """The figures with every policy in use."""
    random.seed(1)
    declared, known = everything()
    asked = message()
    verdict = judge_message(asked, declared, NOW_MS)
    loop = best(lambda: bare(asked.addresses))
    spent = best(lambda: judge_addresses(asked.addresses, verdict, known))
    assert not any(judge_addresses(asked.addresses, verdict, known))
    print(f"{'every policy, a million on the list':<36}{COUNT / spent:>16.0f}{loop / spent:>16.3f}")
    print(f"{'':<36}target {TARGET_ALL}: {'met' if COUNT / spent >= TARGET_ALL else 'MISSED'}")
    spam, text = declared.declared.spam, "Hello Ann, your parcel 4711 is on its way and comes tomorrow. " * 3
    assert spam is not None
    found = best(lambda: [spam.find(text, "sms") for _ in range(100)]) / 100
    met = "met" if found < 20e-6 else "MISSED"
    print(f"{WORDS} words in {len(text)} characters: {found * 1e6:.1f} us, target 20: {met}")


def main() -> None:
    """Print the figures."""
    known = facts()
    print(f"{'what':<36}{'destinations/s':>16}{'to a bare loop':>16}")
    for name, form in (("plain digits, at once", "{}"), ("written with + and a blank, at once", "+{} ")):
        asked = message(form)
        verdict = judge_message(asked, known, NOW_MS)
        loop = best(lambda asked=asked: bare(asked.addresses))  # type: ignore[misc]
        spent = best(lambda asked=asked, verdict=verdict: judge_addresses(asked.addresses, verdict))  # type: ignore[misc]
        print(f"{name:<36}{COUNT / spent:>16.0f}{loop / spent:>16.3f}")
        if form == "{}":
            print(f"{'':<36}target {TARGET}: {'met' if COUNT / spent >= TARGET else 'MISSED'}")
    asked = message()
    verdict = judge_message(asked, known, NOW_MS)
    loop = best(lambda: bare(asked.addresses))
    singles = best(lambda: [judge_address(address, verdict) for address in asked.addresses])
    print(f"{'plain digits, one by one':<36}{COUNT / singles:>16.0f}{loop / singles:>16.3f}")
    once = best(lambda: [judge_message(asked, known, NOW_MS) for _ in range(100)]) / 100
    told = best(lambda: [story(verdict, asked.addresses[0]) for _ in range(100)]) / 100
    print(f"message gates, once a message: {once * 1e6:.1f} us; a story, only when asked: {told * 1e6:.1f} us")
    all_policies()


if __name__ == "__main__":
    main()
