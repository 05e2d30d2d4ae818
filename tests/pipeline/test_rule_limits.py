"""One truth: how far a clock may be off and how long estimates reach is what the rules in force say, per channel."""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from quintet.pipeline.commit import Pipeline
from quintet.pipeline.delivery import Delivery, Outcome
from quintet.pipeline.rule_limits import clock_outside, longest_estimate_days, most_estimate_days
from quintet.terms.quality import qualities
from quintet.terms.tables import MOMENT, QUARANTINE, READINGS
from quintet.vee import rules

METERS = {"e": ("electricity", "kWh", "interval_sum", 60), "w": ("water", "m3", "interval_sum", 60)}
MIN_US = 60_000_000


def own(code: str, name: str, value: str, unit: str, **scope: Any) -> dict[str, Any]:
    """Change one threshold as a city does."""
    row = {"name": name, "value": value, "unit": unit, "source": "a city", "date": date(2026, 1, 1), **scope}
    return {code: {"parameter": [row]}}


def test_thresholds_follow_the_kind_of_each_channel(bench: Any) -> None:
    bench.register(**METERS)
    meaning = bench.pipeline.meaning()
    both = np.array([row["channel"] for row in bench.pipeline.registry().channels().to_pylist()], np.int32)
    assert longest_estimate_days(rules(), meaning, both).tolist() == [7, 7]
    table = rules(own("V20", "days", "30", "days", commodities=["water"]))
    assert sorted(longest_estimate_days(table, meaning, both).tolist()) == [7, 30]
    assert (most_estimate_days(rules()), most_estimate_days(table)) == (7, 30)


def test_a_class_of_meters_is_a_column_of_the_meters_table(bench: Any) -> None:
    row = {
        "site": "s", "building": "b", "commodity": "electricity", "unit": "kWh", "value_kind": "interval_sum",
        "cadence_min": 60, "tz": "UTC", "role": "consumption",
    }  # fmt: skip
    rows = [{**row, "meter": "big", "meter_class": "transformer"}, {**row, "meter": "small", "meter_class": None}]
    bench.pipeline.register(pa.Table.from_pylist(rows), source="meters", actor="test")
    number = {row["meter"]: row["channel"] for row in bench.pipeline.registry().channels().to_pylist()}
    meaning = bench.pipeline.meaning()
    table = rules(own("V20", "days", "3", "days", meter_classes=["transformer"]))
    both = np.array([number["big"], number["small"]], np.int32)
    assert longest_estimate_days(table, meaning, both).tolist() == [3, 7]
    assert [meaning.kinds()[kind].meter_class for kind in meaning.kind_numbers()[both]] == ["transformer", ""]


@pytest.mark.parametrize(("minutes", "bad"), [(59, False), (60, True), (-60, True), (-59, False)])
def test_a_clock_is_outside_from_one_interval_on(bench: Any, minutes: int, bad: bool) -> None:
    bench.register(**METERS)
    offset, channel = np.array([minutes * MIN_US, 0]), np.array([1, -1], np.int32)
    cadence = np.array([60 * MIN_US] * 2)
    assert clock_outside(offset, rules(), bench.pipeline.meaning(), channel, cadence).tolist() == [bad, False]


def test_without_channels_no_clock_is_off(bench: Any) -> None:
    none = np.array([-1], np.int32)
    meaning = bench.pipeline.meaning()
    assert not clock_outside(np.array([10**12]), rules(), meaning, none, np.array([MIN_US])).any()


@pytest.mark.parametrize(("change", "taken"), [({}, 0), (own("V01", "intervals", "3", "times"), 1)])
def test_a_citys_own_tolerance_of_clocks_is_in_force_where_readings_arrive(
    bench: Any, change: dict[str, Any], taken: int
) -> None:
    bench.register(**METERS)
    bench.pipeline = Pipeline(bench.engine, rules(change), now=bench.now)
    now = datetime.fromtimestamp(bench.clock_us / 1e6, UTC)
    row = {"site": "s", "meter": "e", "at": now - timedelta(hours=5), "value": 1.0, "row": 1}
    schema = pa.schema([*READINGS, pa.field("sent_at", MOMENT)])
    table = pa.Table.from_pylist([{**row, "sent_at": now - timedelta(hours=2)}], schema)
    (out,) = bench.pipeline.commit_group([Delivery(table, QUARANTINE.empty_table(), "a", "mqtt")])
    assert isinstance(out, Outcome)
    assert (out.receipt.accepted, out.receipt.quarantined) == (taken, 1 - taken)


@pytest.mark.parametrize(("days", "estimated"), [("1", 0), ("2", 48)])
def test_a_gap_longer_than_the_rules_allow_stays_a_gap(new_bench: Callable[[], Any], days: str, estimated: int) -> None:
    bench = new_bench()
    bench.register(**METERS)
    bench.pipeline = Pipeline(bench.engine, rules(own("V20", "days", days, "days")), now=bench.now)
    start = datetime(2025, 1, 6, tzinfo=UTC)
    hours = [*range(24 * 8), *range(24 * 10, 24 * 11)]
    bench.send([("e", start + timedelta(hours=hour), 1.0 + hour % 7) for hour in hours])
    kinds = {one.id: one.kind for one in qualities().values()}
    assert sum(kinds[quality] == "estimated" for _, _, _, quality in bench.effective()) == estimated
