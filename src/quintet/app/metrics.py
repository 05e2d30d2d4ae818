"""`/metrics`: how the owner runs, in the text form that Prometheus and VictoriaMetrics collect.

Every figure is read when it is asked for; nothing is counted twice and no global registry is used. Labels are words of
a fixed kind (a door, a commodity, a code), never a meter, a place or a person.
"""

from collections.abc import AsyncGenerator, Iterable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager
from itertools import accumulate
from typing import Any

from prometheus_client import CollectorRegistry
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from quintet import __version__
from quintet.pipeline.grouping import BUCKETS_S, Stats

from .metrics_facts import Facts, Observer


class CityCollector(Collector):
    """Turns the facts of a moment into metric families."""

    def __init__(self, observer: Observer) -> None:
        """Ask this observer at each scrape."""
        self._observer = observer

    def describe(self) -> Iterable[Metric]:
        """Say nothing ahead: registering must not open a query."""
        return []

    def collect(self) -> Iterator[Metric]:
        """Give every family."""
        facts = self._observer.facts()
        yield from _of_commits(facts)
        yield from _of_time(facts)
        yield from _of_state(facts)
        yield from _of_doors(facts)
        if facts.committer is not None:
            yield from _of_committer(facts.committer)
            text = "Time from a delivery's being handed over until it is durable."
            watch = self._observer.watch
            yield _histogram("answer_seconds", text, watch.answer_buckets, watch.answer_seconds)


def _counter(name: str, text: str, values: Mapping[tuple[str, ...], float], labels: Sequence[str] = ()) -> Metric:
    family = CounterMetricFamily(f"quintet_{name}", text, labels=list(labels))
    for key, value in values.items():
        family.add_metric(list(key), value)
    return family


def _gauge(name: str, text: str, values: Mapping[tuple[str, ...], float], labels: Sequence[str] = ()) -> Metric:
    family = GaugeMetricFamily(f"quintet_{name}", text, labels=list(labels))
    for key, value in values.items():
        family.add_metric(list(key), value)
    return family


def _keyed(counts: Mapping[str, float]) -> dict[tuple[str, ...], float]:
    return {(name,): float(value) for name, value in counts.items()}


def _of_commits(facts: Facts) -> Iterator[Metric]:
    yield _gauge("build", "1, with the version that runs.", {(__version__,): 1}, ["version"])
    yield _counter("batches", "Batches committed by this process.", _keyed(facts.batches), ["kind"])
    yield _counter(
        "readings",
        "Readings by what became of them, of all doors and commands: accepted, duplicate, quarantined.",
        _keyed(facts.rows),
        ["outcome"],
    )
    yield _gauge("last_batch", "Number of the newest batch.", {(): facts.last_batch})


def _of_time(facts: Facts) -> Iterator[Metric]:
    ages = {
        "newest_reading_age_seconds": ("Now minus the moment of the newest reading.", facts.newest_reading_age_s),
        "last_commit_age_seconds": ("Seconds since this process last committed.", facts.last_commit_age_s),
    }
    for name, (text, age) in ages.items():
        yield _gauge(name, text, {} if age is None else {(): age})
    yield _gauge(
        "channels",
        "Channels that stand in the city now.",
        {(one.commodity, one.meter_class): one.channels for one in facts.staleness},
        ["commodity", "meter_class"],
    )
    yield _gauge(
        "channels_silent",
        "Channels of which no reading was ever heard.",
        {(one.commodity, one.meter_class): one.never for one in facts.staleness},
        ["commodity", "meter_class"],
    )
    yield _gauge(
        "channels_stale_ratio",
        "Share of the channels once heard whose newest reading is at least so many of their cadences old.",
        {
            (one.commodity, one.meter_class, str(step)): count / max(1, one.channels - one.never)
            for one in facts.staleness
            for step, count in one.late.items()
        },
        ["commodity", "meter_class", "cadences"],
    )


def _of_state(facts: Facts) -> Iterator[Metric]:
    yield _gauge("quarantine_open", "What waits in quarantine.", _keyed(facts.quarantine), ["code"])
    yield _counter(
        "quarantine_not_kept",
        "Rows that could not be taken and are not kept either: the quarantine of their source was full.",
        _keyed(facts.not_kept),
        ["code"],
    )
    yield _counter("drift", "Fields of sources that came, went or changed kind.", _keyed(facts.drift), ["change"])
    yield _gauge("open_days", "Local days that are not closed yet.", {(): facts.open_days})
    yield _gauge("disk_free_bytes", "Free space where the city is.", {(): facts.disk_free_bytes})
    yield _gauge("disk_bytes", "Size of the disk where the city is.", {(): facts.disk_bytes})
    if facts.listeners is not None:
        yield _gauge("listeners", "Who follows live.", {(): facts.listeners})


def _of_doors(facts: Facts) -> Iterator[Metric]:
    yield _gauge(
        "door_up", "1 where a door is up.", {(one.name,): float(one.state == "up") for one in facts.doors}, ["door"]
    )
    yield _counter(
        "door_answers",
        "Requests that a door answered, by what became of them: ok, gone (the sender left), or the refusal's code.",
        {(one.name, code): count for one in facts.doors for code, count in one.answered.items()},
        ["door", "code"],
    )
    yield _gauge(
        "door",
        "What a door says of itself.",
        {(one.name, name): value for one in facts.doors for name, value in one.counters.items()},
        ["door", "figure"],
    )


def _of_committer(stats: Stats) -> Iterator[Metric]:
    for name in ("accepted", "duplicate", "quarantined", "corrected"):
        yield _counter(f"door_readings_{name}", f"Readings {name}, by door.", _keyed(getattr(stats, name)), ["door"])
    yield _counter("deliveries", "Deliveries answered, by door.", _keyed(stats.deliveries), ["door"])
    refused = {
        "busy": stats.busy_refusals,
        "key_reused": stats.refused,
        "quarantine_full": stats.quarantine_full,
        "repeated": stats.repeated,
    }
    yield _counter(
        "deliveries_not_stored",
        "Deliveries that brought nothing: turned away while busy or their quarantine full, their key used before, "
        "answered from the record.",
        _keyed(refused),
        ["reason"],
    )
    yield _counter("commit_failures", "Commits that failed; nothing of them was acknowledged.", {(): stats.failures})
    waiting = {"rows": stats.waiting_rows, "bytes": stats.waiting_bytes, "deliveries": stats.waiting_deliveries}
    yield _gauge("waiting", "What waits to be committed.", _keyed(waiting), ["unit"])
    text = "Time of a grouped commit until it is durable."
    yield _histogram("commit_seconds", text, stats.commit_buckets, stats.commit_seconds)


def _histogram(name: str, text: str, counts: Sequence[int], total_s: float) -> Metric:
    """Give a histogram over BUCKETS_S from its buckets' own counts."""
    family = HistogramMetricFamily(f"quintet_{name}", text)
    edges = zip([*map(str, BUCKETS_S), "+Inf"], accumulate(counts), strict=True)
    family.add_metric([], [(edge, float(count)) for edge, count in edges], total_s)
    return family


class MetricsPart:
    """Mounts `/metrics` beside the pages (web/site.py `Part`)."""

    schemas: Mapping[str, Any] = {}

    def __init__(self, observer: Observer) -> None:
        """Show what this observer sees."""
        self._registry = CollectorRegistry(auto_describe=False)
        self._registry.register(CityCollector(observer))

    @property
    def routes(self) -> Sequence[BaseRoute]:
        """Give the one address; it is answered in a worker thread."""
        return [Route("/metrics", self._answer, methods=["GET"])]

    @property
    def paths(self) -> Mapping[str, Any]:
        """Describe the address."""
        answer = {"description": "Figures in Prometheus' text form.", "content": {"text/plain": {"schema": _TEXT}}}
        described = {
            "summary": "How the owner runs, for a collector.",
            "operationId": "get_metrics",
            "responses": {"200": answer},
        }
        return {"/metrics": {"get": described}}

    @asynccontextmanager
    async def running(self) -> AsyncGenerator[None]:
        """Need nothing that runs."""
        yield

    def text(self) -> bytes:
        """Give what a scrape gets."""
        return generate_latest(self._registry)

    def _answer(self, _request: Request) -> Response:
        return Response(self.text(), headers={"content-type": CONTENT_TYPE_LATEST})


_TEXT = {"type": "string"}
