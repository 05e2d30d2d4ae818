"""Clocks that are wrong, and readings that are only late, through the live doors of a real `serve`.

A wrong clock sends its own readings to quarantine and no others. A late reading changes all that depends on it, also
where its day is closed: the city then says what one says that got everything in order.
"""

import json
import random
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pyarrow as pa
import pytest
from tests.broker import PROGRAM, Broker, Publisher
from tests.conftest import Need

from quintet.simulate import CityPlan, simulate_city
from quintet.terms.tables import MOMENT

from .conftest import Run
from .live import LiveCity, clean_run, examined, wait_for

READINGS = "/api/v1/readings:batch"
STEP = timedelta(minutes=15)
METERS = [
    {
        "site": "c1", "building": "101", "meter": name, "commodity": commodity, "unit": unit, "value_kind": kind,
        "cadence_min": 15, "tz": "Asia/Seoul", "role": "consumption",
    }
    for name, commodity, unit, kind in (
        ("power", "electricity", "kWh", "interval_sum"),
        ("gas", "gas", "m3", "register_cumulative"),
        ("water", "water", "m3", "interval_sum"),
    )
]  # fmt: skip
SLOTS = 2 * 96
LATE_DAYS = 30
LATE_SHARE = 0.1
HOUSEHOLDS = 10
Row = dict[str, Any]


def us(moment: datetime) -> int:
    return (moment - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1)


def good_rows(begin: datetime, now: datetime) -> list[Row]:
    """Give two days of three meters; some say what their own clock says, and it is off by less than an interval."""
    rows: list[Row] = []
    for slot in range(SLOTS):
        for meter, value in (("power", 0.2 + slot % 7 / 100), ("gas", 100 + slot / 50), ("water", slot % 5 / 1000)):
            row = {"site": "c1", "meter": meter, "ts_us": us(begin + slot * STEP), "value": round(value, 3)}
            if slot % 10 == 0:
                row["sent_at_us"] = us(now + random.Random(slot).choice((-8, 0, 8)) * timedelta(minutes=1))
            rows.append(row)
    return rows


def wrong_rows(begin: datetime, now: datetime) -> list[tuple[str, Row]]:
    """Give rows of the same meters by wrong clocks, each with the code that it must get."""
    stamps = [
        ("future_time", now + timedelta(hours=1)),
        ("future_time", now + timedelta(days=400)),
        ("future_time", datetime(2106, 2, 7, 6, 28, 15, tzinfo=UTC)),
        ("implausible_time", datetime(1970, 1, 1, tzinfo=UTC)),
        ("implausible_time", datetime(1970, 1, 1, 0, 15, tzinfo=UTC)),
        ("implausible_time", datetime(1989, 12, 31, tzinfo=UTC)),
    ]
    clocks = [
        now + 2 * STEP,
        now - STEP - timedelta(minutes=1),
        now - timedelta(days=30),
        datetime(1970, 1, 1, tzinfo=UTC),
        datetime(2106, 2, 7, 6, 28, 15, tzinfo=UTC),
    ]
    out: list[tuple[str, Row]] = []
    for meter in ("power", "gas", "water"):
        for number, (code, at) in enumerate(stamps):
            out.append((code, {"site": "c1", "meter": meter, "ts_us": us(at), "value": 900 + number}))
        for number, clock in enumerate(clocks):
            # one of a moment that has a reading, and one between two of them: taken, either would change the city
            for at in (begin + (20 + number) * STEP, begin + (40 + number) * STEP + timedelta(minutes=7)):
                row = {"site": "c1", "meter": meter, "ts_us": us(at), "value": 950 + number, "sent_at_us": us(clock)}
                out.append(("clock_off", row))
    return out


def table_of(rows: list[Row]) -> pa.Table:
    stamps = pa.array(np.array([row["ts_us"] for row in rows], np.int64)).view(MOMENT)
    words = {name: [row[name] for row in rows] for name in ("site", "meter")}
    return pa.table({**words, "ts_utc": stamps, "value": pa.array([float(row["value"]) for row in rows])})


@pytest.fixture
def broker(tmp_path: Path, need: Need) -> Iterator[Broker]:
    need(Path(PROGRAM), "the MQTT door reads from a real broker")
    started = Broker(tmp_path / "broker").start()
    yield started
    started.end()


def post(live: LiveCity, rows: list[Row]) -> dict[str, Any]:
    headers = {"Authorization": f"Bearer {live.token}"}
    answer = httpx.post(live.address.rstrip("/") + READINGS, json=rows, headers=headers, timeout=60, trust_env=False)
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


def publish(live: LiveCity, broker: Broker, rows: list[Row]) -> None:
    """Publish rows as one concentrator's message, and wait until each was taken or set aside."""
    live.begin_door()
    Publisher(broker.port, "clocks").publish([("quintet/v1/c1", json.dumps(rows).encode())])
    wait_for(lambda: live.counted("accepted") + live.counted("quarantined") >= len(rows), "all of it")


@pytest.mark.parametrize("way", ["http", "mqtt"])
def test_wrong_clocks_go_to_quarantine_and_their_neighbours_stay_as_they_are(
    way: str, broker: Broker, tmp_path: Path, quintet: Run
) -> None:
    meters = pa.Table.from_pylist(METERS)
    now = datetime.now(UTC)
    begin = now.replace(minute=0, second=0, microsecond=0) - timedelta(days=4)
    good, wrong = good_rows(begin, now), wrong_rows(begin, now)
    clean = clean_run(tmp_path / "clean", meters, table_of(good))
    mixed = [("", row) for row in good] + wrong
    random.Random(3).shuffle(mixed)
    live = LiveCity(tmp_path / "live", meters, broker)
    try:
        live.begin()
        live.wait_ready()
        rows = [row for _, row in mixed]
        if way == "http":
            said = post(live, rows)
            assert (said["accepted"], said["duplicate"], said["quarantined"]) == (len(good), 0, len(wrong))
            named = {one["index"]: one["code"] for one in said["rejected"]}
            assert named == {index: code for index, (code, _) in enumerate(mixed) if code}
        else:
            publish(live, broker, rows)
        listed = quintet("quarantine", "list", "--city", live.folder, "--limit", "1000", "--format", "json")
        aside = json.loads(listed.stdout)["quarantine"]
        assert Counter(one["code"] for one in aside) == Counter(code for code, _ in wrong)
    finally:
        live.end()
    facts = examined(live.folder)
    assert facts["quarantined"] == len(wrong)
    assert (facts["content_hash"], facts["raw_rows"]) == (clean["content_hash"], len(good))


def rows_of(table: pa.Table) -> list[Row]:
    """Give each reading of the dataset layout once."""
    columns = [table[name].cast(pa.string()).to_pylist() for name in ("site", "meter")]
    columns += [table["ts_utc"].cast(pa.int64()).to_pylist(), table["value"].to_pylist()]
    names = ("site", "meter", "ts_us", "value")
    return [dict(zip(names, cells, strict=True)) for cells in dict.fromkeys(zip(*columns, strict=True))]


ALL = ["15min", "hour", "day"]


def told(quintet: Run, city: Path, span: tuple[str, str], resolutions: list[str]) -> list[Any]:
    """Give the balances of a city by some resolutions, and its self-sufficiency."""
    period = ["--from", span[0], "--to", span[1], "--city", str(city), "--format", "json"]
    asked = [["balance", "--resolution", length] for length in resolutions] + [["selfsufficiency"]]
    answers = [quintet(*words, *period) for words in asked]
    assert [answer.returncode for answer in answers] == [0] * len(asked), answers
    return [without_moment(json.loads(answer.stdout)) for answer in answers]


def without_moment(said: Any) -> Any:
    """Leave out when it was asked."""
    return {name: value for name, value in said.items() if name != "known_at"}


def test_a_reading_that_is_thirty_days_late_changes_all_that_depends_on_it(tmp_path: Path, quintet: Run) -> None:
    today = datetime.now(UTC).date()
    plan = CityPlan(start=today - timedelta(days=LATE_DAYS + 2), days=4, households=HOUSEHOLDS, seed=4)
    simulated = simulate_city(plan)
    days = [plan.day(number) for number in range(plan.days)]
    table = pa.concat_tables([rows for day in days for rows in (simulated.readings(day), simulated.late(day))])
    rows = rows_of(table)
    dice = random.Random(2)
    belated_day = int(plan.edges(days[2])[0])
    late, in_time = [], []
    for row in rows:
        (late if row["ts_us"] >= belated_day and dice.random() < LATE_SHARE else in_time).append(row)
    assert len(late) > 300
    clean = clean_run(tmp_path / "clean", simulated.meters, table_of(rows))
    live = LiveCity(tmp_path / "live", simulated.meters)
    span = (days[0].isoformat(), (days[-1] + timedelta(days=1)).isoformat())
    try:
        live.begin()
        live.wait_ready()
        assert post(live, in_time)["accepted"] == len(in_time)
        before = told(quintet, live.folder, span, ["day"])
        closed = quintet("close", "--city", live.folder)
        assert closed.returncode == 0, closed.stderr
        dice.shuffle(late)
        for low in range(0, len(late), 100):
            said = post(live, late[low : low + 100])
            assert (said["accepted"], said["quarantined"]) == (len(late[low : low + 100]), 0)
        after = told(quintet, live.folder, span, ALL)
    finally:
        live.end()
    assert after[-2:] != before
    assert after == told(quintet, tmp_path / "clean" / "city", span, ALL)
    for _ in range(2):  # the late ones waiting beside the closed days, then merged into them
        facts = examined(live.folder)
        assert facts["closed_days"] >= len(days)
        assert (facts["content_hash"], facts["raw_rows"]) == (clean["content_hash"], clean["raw_rows"])
        merged = quintet("close", "--city", live.folder)
        assert merged.returncode == 0, merged.stderr
    assert told(quintet, live.folder, span, ALL) == after
