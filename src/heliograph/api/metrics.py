"""`GET /metrics`: counters are plain numbers of the verbs, read when Prometheus asks."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from prometheus_client import CollectorRegistry
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest
from prometheus_client.platform_collector import PlatformCollector
from prometheus_client.process_collector import ProcessCollector
from starlette.requests import Request
from starlette.responses import Response

# Names and helps of what is exported: verb, how its numbers are to be read, help.
COUNTERS: Mapping[str, str] = {
    "intake": "Calls, destinations and refusals of the verb ACCEPT.",
    "dispatch": "Answers of far ends to the verb SEND.",
    "receipts": "What the verb RECEIVE got.",
    "notify": "Calls of the verb TELL.",
    "profiles": "Writes of profiles.",
    "events": "Events that callers send.",
    "rules": "What happened, and what followed from it.",
    "store": "Group commits and the operations in them.",
}
GAUGES: Mapping[str, str] = {
    "queue": "What waits and what is under way.",
}

Numbers = Callable[[], Mapping[str, Mapping[str, float]]]


class _Collector:
    def __init__(self, numbers: Numbers) -> None:
        self._numbers = numbers

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


class Metrics:
    """Renders the registry."""

    def __init__(self, numbers: Numbers) -> None:
        self._registry = CollectorRegistry()
        self._registry.register(_Collector(numbers))
        ProcessCollector(registry=self._registry)
        PlatformCollector(registry=self._registry)

    async def serve(self, request: Request) -> Response:
        """The metrics in Prometheus' text form."""
        return Response(generate_latest(self._registry), media_type=CONTENT_TYPE_LATEST)
