"""What reading a Messaging call costs, beside a bare `msgspec.json.decode` of the same body in the same run.

python bench/contract.py
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable

import msgspec

from heliograph.channels import channels
from heliograph.contract.envelope import read_call

NOW_MS = 1_700_000_000_000
CHANNELS = channels()
ROUNDS = 15
NUMBERS = [str(447_700_900_000 + number) for number in range(1_000)]


def call(destination: list[dict[str, object]]) -> dict[str, object]:
    """A usual call."""
    return {
        "deliverychannel": "sms",
        "channels": {"sms": {"text": "Hello from the benchmark", "senderid": "HELIO"}},
        "destination": destination,
        "notifyurl": "https://example.com/dr",
        "correlationid": "bench",
    }


PUSH = {
    "deliverychannel": "push",
    "channels": {
        "push": {
            "android": {"title": "T", "text": "Hi", "priority": "5", "extras": {"collapse_key": "k"}},
            "ios": {"title": "T", "text": "Hi", "extras": {"notificationaction": {"action": "OPEN_APP"}}},
            "interactive": {
                "category": "DOUBLE_YES_NO",
                "device_types": ["ios", "android"],
                "actions": [{"pos": 1, "action": "OPEN_URL", "value": "https://example.com"}, {"pos": 2}],
            },
        }
    },
    "destination": [{"userid": ["u1"]}],
}

# name, body, destinations, the microseconds it may take (None: only shown)
BODIES: list[tuple[str, object, int, float | None]] = [
    ("single", call([{"msisdn": [NUMBERS[0]]}]), 1, 15),
    ("single with expiry", {**call([{"msisdn": [NUMBERS[0]]}]), "expiry": "2030-01-01T00:00:00.456+5:30"}, 1, 15),
    ("1000 in one list", call([{"msisdn": NUMBERS}]), 1_000, 1_500),
    ("1000 entries, own ids", call([{"msisdn": [one], "correlationid": one} for one in NUMBERS]), 1_000, 1_500),
    ("push with buttons", PUSH, 1, 60),
    ("1000 elements", [call([{"msisdn": [one]}]) for one in NUMBERS], 1_000, None),
]


def best(work: Callable[[], object]) -> float:
    """Microseconds of one run, the best of some rounds of about 20 ms each."""
    started = time.perf_counter()
    work()
    count = max(1, int(0.02 / max(time.perf_counter() - started, 1e-7)))
    found = float("inf")
    for _ in range(ROUNDS):
        started = time.perf_counter()
        for _ in range(count):
            work()
        found = min(found, (time.perf_counter() - started) / count)
    return found * 1e6


def main() -> None:
    """Print the figures."""
    print(f"{'body':<24}{'bytes':>9}{'us':>10}{'bare us':>10}{'ratio':>8}{'dest/s':>12}  target")
    for name, plain, destinations, target in BODIES:
        body = json.dumps(plain).encode()
        read = best(lambda body=body: read_call(body, CHANNELS, NOW_MS))  # type: ignore[misc]
        bare = best(lambda body=body: msgspec.json.decode(body))  # type: ignore[misc]
        verdict = "" if target is None else f"{target:.0f} us {'met' if read <= target else 'MISSED'}"
        rate = destinations / read * 1e6
        print(f"{name:<24}{len(body):>9}{read:>10.1f}{bare:>10.1f}{read / bare:>8.1f}{rate:>12.0f}  {verdict}")


if __name__ == "__main__":
    main()
