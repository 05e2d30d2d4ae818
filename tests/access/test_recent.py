"""The newest days in memory say what the store says, whatever arrived, in which order, and after every reopening."""

from datetime import UTC, date, datetime, timedelta
from random import Random

import pyarrow as pa
import pytest

from quintet.terms.period import Resolution, Span, day_number, day_start, local_day
from quintet.terms.quality import qualities, qualities_by_id
from quintet.terms.reading import clock
from quintet.terms.tables import DAILY

from .conftest import City, NewCity, us, utc

MEASURED = {number for number, quality in qualities_by_id().items() if quality.kind == "measured"}
ESTIMATED = {number for number, quality in qualities_by_id().items() if quality.kind == "estimated"}
METERS = {
    "a": {"cadence_min": 15},
    "b": {"cadence_min": 60},
    "w": {"cadence_min": 60, "commodity": "water", "unit": "m3", "value_kind": "register_cumulative"},
    "d": {"cadence_min": 1440},
}
Series = list[tuple[datetime, int | None, int | None]]
Rows = list[tuple[str, int, int, int]]


def asked(city: City, name: str, span: Span, known: datetime | None = None) -> Series:
    """Ask for a channel at its own resolution: now comes from memory, as known just now from the store."""
    cadence = METERS[name]["cadence_min"]
    resolution = {15: Resolution.QUARTER, 60: Resolution.HOUR, 1440: Resolution.DAY}[int(cadence)]
    rows = city.access().series(f"s/{name}", span, resolution, known).to_pylist()
    return [(row["start"], None if row["value"] is None else int(row["value"]), row["quality"]) for row in rows]


def check(city: City, newest: date) -> None:
    """Compare memory with the store over spans that are held, half held and not held at all, and day by day."""
    tz = clock(city.timezone)
    for back, forth in ((1, 1), (3, 2), (5, 1)):
        span = Span(day_start(newest - timedelta(days=back - 1), tz), day_start(newest + timedelta(days=forth), tz))
        for name in METERS:
            assert asked(city, name, span) == asked(city, name, span, city.now), (name, back)
    names, rows = [f"s/{name}" for name in METERS], city.effective()
    for low, high in ((newest - timedelta(days=9), newest + timedelta(days=2)), (newest - timedelta(days=80), newest)):
        table = city.access().daily(names, low, high)
        assert table.schema == DAILY
        assert [tuple(row.values()) for row in table.to_pylist()] == recomputed(rows, city.timezone, names, low, high)


def recomputed(rows: Rows, zone: str, names: list[str], low: date, high: date) -> list[tuple[object, ...]]:
    """Sum effective intervals by local day in plain Python."""
    tz, cells = clock(zone), dict[tuple[str, date], list[int]]()
    for name, start, value, quality in rows:
        cell = cells.setdefault((name, local_day(datetime.fromtimestamp(start / 1e6, UTC), tz)), [0, 0, 0])
        cell[0] += value if quality in MEASURED | ESTIMATED else 0
        cell[1] += quality in MEASURED
        cell[2] += quality in ESTIMATED
    days = [low + timedelta(days=number) for number in range((high - low).days + 1)]
    out: list[tuple[object, ...]] = []
    for name in names:
        for day in days:
            value, arrived, estimated = cells.get((name, day), [0, 0, 0])
            out.append((name, day, value if arrived or estimated else None, arrived, estimated))
    return out


def played(start: datetime, count: int, dice: Random) -> list[tuple[str, datetime, float]]:
    rows: list[tuple[str, datetime, float]] = []
    total = 10.0
    for step in range(96 * count):
        at = start + timedelta(minutes=15 * step)
        if dice.random() > 0.04:
            rows.append(("s/a", at, round(dice.random() * 2, 3)))
        if step % 4 == 0 and dice.random() > 0.04:
            rows.append(("s/b", at, round(dice.random() * 2, 3)))
            total = round(total + dice.random(), 3)
            rows.append(("s/w", at + timedelta(seconds=dice.randrange(99)), total))
        if step % 96 == 0:
            rows.append(("s/d", at, round(dice.random() * 30, 3)))
    return rows


@pytest.mark.parametrize(
    ("zone", "first", "seed"),
    [
        ("UTC", date(2025, 1, 6), 1),
        ("Europe/Madrid", date(2025, 3, 26), 2),
        ("Europe/Madrid", date(2025, 10, 22), 3),
        ("Asia/Kathmandu", date(2025, 1, 6), 4),
    ],
)
def test_memory_says_what_the_store_says(new_city: NewCity, zone: str, first: date, seed: int) -> None:
    city, dice = new_city(zone), Random(seed)
    city.register(*({"site": "s", "meter": name, **meter} for name, meter in METERS.items()))
    rows = played(day_start(first, clock(zone)), 6, dice)
    late = [rows.pop(dice.randrange(len(rows))) for _ in range(40)]
    rows.sort(key=lambda row: row[1])
    third = len(rows) // 3
    for number, batch in enumerate((rows[:third], rows[third : 2 * third], late[:20], rows[2 * third :], late[20:])):
        city.send(batch)
        newest = (
            max(local_day(row[1], clock(zone)) for row in [*rows[:third], *batch])
            if number < 3
            else first + timedelta(days=5)
        )
        check(city, newest)
        if number == 1:
            city.close_all()
        if number == 3:
            city.reopen()
            check(city, newest)
    city.close_all()
    check(city, first + timedelta(days=5))


def test_a_corrected_and_a_withdrawn_interval_are_forgotten_by_memory_too(city: City) -> None:
    city.register(*({"site": "s", "meter": name, **meter} for name, meter in METERS.items()))
    city.send([("s/w", utc(6, hour), 10.0 + hour) for hour in range(0, 20, 4)])
    check(city, date(2025, 1, 6))
    city.send([("s/w", utc(6, 6), 9.0), ("s/b", utc(6, 3), 5.0)])
    check(city, date(2025, 1, 6))
    city.send([("s/b", utc(6, 3), 6.0)])
    check(city, date(2025, 1, 6))


def test_what_is_read_of_a_channel_that_never_spoke_is_nothing(city: City) -> None:
    city.register(*({"site": "s", "meter": name, **meter} for name, meter in METERS.items()))
    city.send([("s/b", utc(6, 3), 6.0)])
    check(city, date(2025, 1, 6))


def test_an_edit_stands_in_memory_against_what_arrives_later(city: City) -> None:
    city.register(*({"site": "s", "meter": name, **meter} for name, meter in METERS.items()))
    city.send([("s/b", utc(6, hour), 1.0) for hour in range(6)])
    channel = city.pipeline.registry().channel_ids["s/b"]
    edit(city, channel, us(utc(6, 3)), 1_000_000, 9_000_000)
    city.reopen()
    check(city, date(2025, 1, 6))
    city.send([("s/b", utc(6, 3), 7.0)])
    assert [value for _, at, value, _ in city.effective() if at == us(utc(6, 3))] == [9_000_000]
    check(city, date(2025, 1, 6))


def edit(city: City, channel: int, start_us: int, before: int, after: int) -> None:
    """Commit an edit as the store keeps it: a version that outranks, and the difference it makes."""
    quality, day = qualities()["edited"].id, day_number(date(2025, 1, 6))
    with city.engine.writing("edit", "test", "test", city.tick()) as writing:
        batch = writing.batch.id
        writing.execute("insert into interval values (?, ?, ?, ?, ?)", [channel, start_us, after, quality, batch])
        for table, period in (("rollup_hour", start_us), ("rollup_day", day)):
            writing.execute(f"insert into {table} values (?, ?, ?, 0, 0, ?)", [channel, period, after - before, batch])


def test_daily_sums_are_asked_for_by_name_and_null_where_nothing_is_known(city: City) -> None:
    city.register(*({"site": "s", "meter": name, **meter} for name, meter in METERS.items()))
    city.send([("s/b", utc(6, hour), 0.0) for hour in range(4)])
    table: pa.Table = city.access().daily(["s/b", "s/a"], date(2025, 1, 5), date(2025, 1, 6))
    assert [tuple(row.values()) for row in table.to_pylist()] == [
        ("s/b", date(2025, 1, 5), None, 0, 0),
        ("s/b", date(2025, 1, 6), 0, 4, 0),
        ("s/a", date(2025, 1, 5), None, 0, 0),
        ("s/a", date(2025, 1, 6), None, 0, 0),
    ]
