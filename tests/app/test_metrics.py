"""What the running owner says of itself: true figures, and no name of a meter, a place or a person."""

import threading
from datetime import timedelta
from typing import Any

import pyarrow as pa
import pytest
from prometheus_client.parser import text_string_to_metric_families

from quintet.app.answer import no_progress
from quintet.app.answers_status import status
from quintet.app.city import City
from quintet.app.metrics import MetricsPart
from quintet.app.metrics_facts import Facts
from quintet.app.metrics_watch import Door, Watch, watching
from quintet.app.requests import Status
from quintet.pipeline.delivery import Delivery
from quintet.pipeline.grouping import Committer
from quintet.store.engine import Snapshot
from quintet.store.quarantine import counts
from quintet.terms.tables import QUARANTINE, READINGS

from .seen_city import FIRST, SECRET_METER, SECRET_SITE, Clock, commit

STEP = timedelta(minutes=15)
Labels = frozenset[tuple[str, str]]


def scraped(city: City) -> dict[str, dict[Labels, float]]:
    out: dict[str, dict[Labels, float]] = {}
    for family in text_string_to_metric_families(MetricsPart(city.observer).text().decode()):
        for sample in family.samples:
            out.setdefault(sample.name, {})[frozenset(sample.labels.items())] = sample.value
    return out


def labels(**words: str) -> Labels:
    return frozenset(words.items())


def test_an_empty_city_has_silent_channels_and_no_ages(city: City) -> None:
    found = scraped(city)
    assert "quintet_newest_reading_age_seconds" not in found
    assert sum(found["quintet_channels"].values()) == sum(found["quintet_channels_silent"].values()) == 3
    assert set(found["quintet_channels_stale_ratio"].values()) == {0.0}


def test_staleness_counts_cadences_from_when_a_reading_can_be_known(city: City, clock: Clock) -> None:
    clock.now = FIRST + timedelta(minutes=1)
    commit(city, [(SECRET_METER, timedelta(), 0.1), ("water", timedelta(), 5.0), ("water-2", timedelta(), 5.0)])
    water = {"commodity": "water", "meter_class": "register_cumulative"}
    power = {"commodity": "electricity", "meter_class": "interval_sum"}
    for after, of_water, of_power in (
        (timedelta(minutes=29), 0.0, 0.0),
        (timedelta(minutes=30), 0.5, 0.0),
        (timedelta(minutes=45), 0.5, 1.0),
        (timedelta(hours=2), 1.0, 1.0),
    ):
        clock.now = FIRST + after
        found = scraped(city)["quintet_channels_stale_ratio"]
        assert found[labels(cadences="2", **water)] == of_water, after
        assert found[labels(cadences="2", **power)] == of_power, after
        assert found[labels(cadences="96", **power)] == 0.0
    assert scraped(city)["quintet_newest_reading_age_seconds"][labels()] == 7200


def test_what_was_committed_is_counted_by_what_became_of_it(city: City, clock: Clock) -> None:
    clock.now = FIRST + timedelta(hours=2)
    rows = [("water", number * STEP, 5.0 + number) for number in range(4)]
    commit(city, rows)
    commit(city, [*rows, ("no-such-meter", STEP, 1.0)])
    found = scraped(city)
    assert {dict(key)["outcome"]: count for key, count in found["quintet_readings_total"].items()} == {
        "accepted": 4, "duplicate": 4, "quarantined": 1,
    }  # fmt: skip
    assert found["quintet_quarantine_open"] == {labels(code="unregistered_meter"): 1.0}
    assert found["quintet_batches_total"][labels(kind="readings")] == 2
    assert found["quintet_open_days"][labels()] == 1


def test_the_committers_counters_and_the_doors_states_are_shown(city: City, clock: Clock) -> None:
    clock.now = FIRST + timedelta(hours=2)
    committer = Committer(city.pipeline)
    city.watch.stats = committer.stats
    city.watch.doors.append(lambda: [Door("http", "up", {"bodies": 2.0}), Door("mqtt-1", "silent", {})])
    city.watch.listeners = lambda: 5
    committer.start()
    row = {"site": SECRET_SITE, "meter": "water", "at": FIRST, "value": 1.5, "row": 1}
    table = READINGS.empty_table().from_pylist([row], READINGS)
    city.watch.timed(committer.submit)(Delivery(table, QUARANTINE.empty_table(), "s", "http")).result(60)
    committer.stop(60)
    found = scraped(city)
    assert found["quintet_door_up"] == {labels(door="http"): 1.0, labels(door="mqtt-1"): 0.0}
    assert found["quintet_door"] == {labels(door="http", figure="bodies"): 2.0}
    assert found["quintet_door_readings_accepted_total"] == {labels(door="http"): 1.0}
    assert found["quintet_answer_seconds_count"] == {labels(): 1.0}
    assert found["quintet_answer_seconds_sum"][labels()] >= found["quintet_commit_seconds_sum"][labels()] > 0
    assert found["quintet_commit_seconds_count"] == {labels(): 1.0}
    assert found["quintet_commit_seconds_bucket"][labels(le="+Inf")] == 1.0
    assert found["quintet_listeners"] == {labels(): 5.0}
    said: dict[str, Any] = status(city, Status(), no_progress).read()
    assert said["committer"]["accepted"] == {"http": 1}
    assert [door["state"] for door in said["doors"]] == ["up", "silent"]


def test_no_meter_place_or_source_is_named(city: City, clock: Clock) -> None:
    clock.now = FIRST + timedelta(hours=2)
    commit(city, [(SECRET_METER, timedelta(), 0.1), ("no-such-meter", STEP, 1.0)])
    text = MetricsPart(city.observer).text().decode() + status(city, Status(), no_progress).document.decode()
    for word in (SECRET_SITE, SECRET_METER, "no-such-meter"):
        assert word not in text


def test_a_scrape_asks_the_store_only_now_and_then(city: City, monkeypatch: pytest.MonkeyPatch) -> None:
    part = MetricsPart(city.observer)
    part.text()
    opened = list[int]()
    commit(city, [("water", timedelta(), 5.0)])
    monkeypatch.setattr(city.engine, "snapshot", lambda: opened.append(1))
    for _ in range(20):
        part.text()
    assert opened == []
    monkeypatch.setattr("quintet.app.metrics_facts.time.monotonic", lambda: float("inf"))
    with pytest.raises(TypeError):
        part.text()
    assert opened == [1]


def test_a_slow_query_holds_up_no_other_scrape(city: City, monkeypatch: pytest.MonkeyPatch) -> None:
    city.observer.facts()
    commit(city, [("water", timedelta(), 5.0), ("nobody", timedelta(), 1.0)])
    asked, free = threading.Event(), threading.Event()

    def slow(snapshot: Snapshot) -> pa.Table:
        asked.set()
        assert free.wait(60)
        return counts(snapshot)

    monkeypatch.setattr("quintet.app.metrics_facts.counts", slow)
    found = list[Facts]()
    scrape = threading.Thread(target=lambda: found.append(city.observer.facts(anew=True)))
    scrape.start()
    assert asked.wait(60)
    assert city.observer.facts().quarantine == {}
    free.set()
    scrape.join(60)
    assert found[0].quarantine == {"unregistered_meter": 1}


def test_rates_are_those_of_the_last_whole_seconds(city: City) -> None:
    seconds = [100.0]
    watch = Watch(lambda: seconds[0])
    city.pipeline.listeners.append(watch.take)
    commit(city, [("water", timedelta(), 5.0), ("water-2", timedelta(), 5.0)])
    assert watch.rates(10) == (0.0, 0.0)
    seconds[0] = 101.0
    assert watch.rates(10) == (0.2, 0.1)
    seconds[0] = 111.0
    assert watch.rates(10) == (0.0, 0.0)
    assert watch.rates(60) == (2 / 60, 1 / 60)


def test_the_shipped_numbers_are_read() -> None:
    assert list(watching().stale_cadences) == sorted(watching().stale_cadences)
    assert max(watching().windows_s) <= 60
