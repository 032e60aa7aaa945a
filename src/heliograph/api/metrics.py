"""`GET /metrics`: counters are plain numbers of the verbs, read when Prometheus asks."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping

from prometheus_client import CollectorRegistry
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest
from prometheus_client.platform_collector import PlatformCollector
from prometheus_client.process_collector import ProcessCollector
from starlette.requests import Request
from starlette.responses import Response

from heliograph.api.admin.credentials import Credential

# Names and helps of what is exported: verb, how its numbers are to be read, help.
COUNTERS: Mapping[str, str] = {
    "intake": "Calls, destinations and refusals of the verb ACCEPT.",
    "dispatch": "Answers of far ends to the verb SEND.",
    "receipts": "What the verb RECEIVE got.",
    "notify": "Calls of the verb TELL.",
    "profiles": "Writes of profiles.",
    "events": "Events that callers send.",
    "realtime": "Connections of apps and what went over them.",
    "bus": "Chunks of messages between processes.",
    "rules": "What happened, and what followed from it.",
    "store": "Group commits and the operations in them.",
}
GAUGES: Mapping[str, str] = {
    "queue": "What waits and what is under way.",
}

CREDENTIALS: Mapping[str, str] = {
    "credentials_good": "1 when messages go out with these credentials, 0 when they are refused or have ended.",
    "credentials_end_seconds": "Until when they are good, Unix seconds; absent where they do not end.",
}
"""Gauges of each connector and system."""

Numbers = Callable[[], Mapping[str, Mapping[str, float]]]


class _Collector:
    def __init__(self, numbers: Numbers, credentials: Callable[[], Iterable[Credential]]) -> None:
        self._numbers = numbers
        self._credentials = credentials

    def collect(self) -> Iterator[Metric]:
        numbers = self._numbers()
        for verb, text in COUNTERS.items():
            counter = CounterMetricFamily(f"heliograph_{verb}", text, labels=["what"])
            for what, value in numbers.get(verb, {}).items():
                counter.add_metric([what], value)
            yield counter
        for name, text in GAUGES.items():
            gauge = GaugeMetricFamily(f"heliograph_{name}", text, labels=["what"])
            for what, value in numbers.get(name, {}).items():
                gauge.add_metric([what], value)
            yield gauge
        yield from self._standings()

    def _standings(self) -> Iterator[Metric]:
        good, ends = (
            GaugeMetricFamily(f"heliograph_{name}", text, labels=["connector", "system"])
            for name, text in CREDENTIALS.items()
        )
        for one in self._credentials():
            good.add_metric([one.connector, one.system], one.good)
            if one.ends_ms:
                ends.add_metric([one.connector, one.system], one.ends_ms / 1000)
        yield good
        yield ends


class Metrics:
    """Renders the registry."""

    def __init__(self, numbers: Numbers, credentials: Callable[[], Iterable[Credential]]) -> None:
        self._registry = CollectorRegistry()
        self._registry.register(_Collector(numbers, credentials))
        ProcessCollector(registry=self._registry)
        PlatformCollector(registry=self._registry)

    async def serve(self, request: Request) -> Response:
        """The metrics in Prometheus' text form."""
        return Response(generate_latest(self._registry), media_type=CONTENT_TYPE_LATEST)
