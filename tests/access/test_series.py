"""One channel over time: the city's periods, what arrived of what was expected, null where nothing is known."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from quintet.access.series import expected_slots, series_table
from quintet.store.records import ALWAYS, FOREVER
from quintet.terms.errors import UsageError
from quintet.terms.period import HOUR_US, MINUTE_US, Resolution, Span, day_start, edges, grid_phase, to_us
from quintet.terms.quality import qualities, qualities_by_id
from quintet.terms.reading import clock
from quintet.terms.tables import SERIES

from .conftest import City, NewCity, us, utc

MWH = 1_000_000
MADRID, SEOUL, KATHMANDU = clock("Europe/Madrid"), clock("Asia/Seoul"), clock("Asia/Kathmandu")
Row = tuple[datetime, int | None, str, float | None, float | None]


def said(table: pa.Table) -> list[Row]:
    """Give rows as start, value, quality's code, coverage and estimated share."""
    assert table.schema == SERIES
    names = {number: quality.code for number, quality in qualities_by_id().items()}
    return [
        (
            row["start"],
            None if row["value"] is None else int(row["value"]),
            names.get(row["quality"], "none"),
            row["coverage"],
            row["estimated_share"],
        )
        for row in table.to_pylist()
    ]


def local_days(zone: str, first: date, count: int) -> Span:
    return Span(day_start(first, clock(zone)), day_start(first + timedelta(days=count), clock(zone)))


@pytest.mark.parametrize(
    ("zone", "first", "hours"),
    [
        ("Europe/Madrid", date(2025, 3, 29), [24, 23, 24]),
        ("Europe/Madrid", date(2025, 10, 25), [24, 25, 24]),
        ("Asia/Seoul", date(2025, 3, 29), [24, 24, 24]),
    ],
)
def test_a_day_has_the_hours_it_has(new_city: NewCity, zone: str, first: date, hours: list[int]) -> None:
    city = new_city(zone)
    city.register({"site": "s", "meter": "m", "cadence_min": 15})
    span = local_days(zone, first, 3)
    quarters = int((span.end - span.start) / timedelta(minutes=15))
    assert quarters == 4 * sum(hours)
    city.send([("s/m", span.start + timedelta(minutes=15 * n), 0.001 * (n + 1)) for n in range(quarters)])
    for close in (False, True):
        if close:
            city.close_all()
        days = said(city.access().series("s/m", span, Resolution.DAY))
        assert [row[2:] for row in days] == [("valid", 1.0, 0.0)] * 3
        stops = np.cumsum([0, *(4 * count for count in hours)])
        assert [row[1] for row in days] == [1000 * sum(range(low + 1, high + 1)) for low, high in pairwise(stops)]
        hourly = said(city.access().series("s/m", span, Resolution.HOUR))
        assert len(hourly) == sum(hours)
        assert {row[3] for row in hourly} == {1.0}
        assert sum(row[1] or 0 for row in hourly) == 1000 * quarters * (quarters + 1) // 2


def test_seoul_had_days_of_23_and_25_hours_in_1988(new_city: NewCity) -> None:
    city = new_city("Asia/Seoul")
    city.register({"site": "s", "meter": "m"})
    for first, hours in ((date(1988, 5, 8), 23), (date(1988, 10, 9), 25)):
        span = local_days("Asia/Seoul", first, 1)
        rows = said(city.access().series("s/m", span, Resolution.HOUR))
        assert [row[1:] for row in rows] == [(None, "none", 0.0, None)] * hours
        bounds = np.array([span.start_us, span.end_us], np.int64)
        assert expected_slots(bounds, HOUR_US, grid_phase(SEOUL, HOUR_US), ALWAYS, FOREVER).tolist() == [hours]


def test_what_is_missing_is_null_and_lowers_the_coverage(city: City) -> None:
    city.register({"site": "s", "meter": "m"})
    city.send([("s/m", utc(2, hour), 0.0) for hour in (0, 1, 2, 3)])
    rows = said(city.access().series("s/m", Span(utc(2), utc(4)), Resolution.DAY))
    assert rows == [(utc(2), 0, "valid", pytest.approx(4 / 24), 0.0), (utc(3), None, "none", 0.0, None)]
    hours = said(city.access().series("s/m", Span(utc(2, 3), utc(2, 5)), Resolution.HOUR))
    assert hours == [(utc(2, 3), 0, "valid", 1.0, 0.0), (utc(2, 4), None, "none", 0.0, None)]


def test_estimates_are_summed_and_said_apart_from_what_arrived(city: City) -> None:
    city.register({"site": "s", "meter": "m"})
    city.send([("s/m", utc(2, hour), 1.0 + hour) for hour in range(24) if hour not in (10, 11)])
    (row,) = said(city.access().series("s/m", Span(utc(2), utc(3)), Resolution.DAY))
    assert row == (utc(2), 300 * MWH, "linear", pytest.approx(22 / 24), pytest.approx(2 / 24))
    gap = said(city.access().series("s/m", Span(utc(2, 10), utc(2, 12)), Resolution.HOUR))
    assert gap == [(utc(2, 10), 11 * MWH, "linear", 0.0, 1.0), (utc(2, 11), 12 * MWH, "linear", 0.0, 1.0)]


def test_a_reading_finer_than_its_meter_is_refused(city: City) -> None:
    city.register({"site": "s", "meter": "m"}, {"site": "s", "meter": "daily", "cadence_min": 1440})
    span = Span(utc(2), utc(3))
    with pytest.raises(UsageError, match="one value every 60 min") as caught:
        city.access().series("s/m", span, Resolution.QUARTER)
    assert (caught.value.code, caught.value.place) == ("too_fine", "s/m")
    with pytest.raises(UsageError, match="1440 min"):
        city.access().series("s/daily", span, Resolution.HOUR)
    assert city.access().series("s/m", span, Resolution.HOUR).num_rows == 24
    assert city.access().series("s/daily", span, Resolution.DAY).num_rows == 1


def test_a_series_as_known_at_a_moment(city: City) -> None:
    city.register({"site": "s", "meter": "m"})
    city.send([("s/m", utc(2, hour), 1.0) for hour in range(3)])
    first = city.now
    city.close_all()
    city.send([("s/m", utc(2, 1), 5.0)])
    second = city.now
    city.close_all()
    span = Span(utc(2), utc(2, 3))

    def values(known: datetime | None) -> list[int | None]:
        return [row[1] for row in said(city.access().series("s/m", span, Resolution.HOUR, known))]

    assert values(None) == values(second) == [MWH, 5 * MWH, MWH]
    assert values(first) == [MWH, MWH, MWH]
    assert values(first - timedelta(seconds=1)) == [None, None, None]
    early = said(city.access().series("s/m", span, Resolution.HOUR, utc(2, 2)))
    assert early == [
        (utc(2, 0), None, "none", 0.0, None),
        (utc(2, 1), None, "none", 0.0, None),
        (utc(2, 2), None, "none", None, None),
    ]


def test_nothing_is_expected_of_the_future_nor_of_a_meter_not_in_place(city: City) -> None:
    city.register(
        {"site": "s", "meter": "m", "installed": "2025-01-02T06:00:00Z", "removed": "2025-01-02T18:00:00Z"},
        {"site": "s", "meter": "n"},
    )
    city.send([("s/m", utc(2, hour), 1.0) for hour in range(6, 18)])
    days = said(city.access().series("s/m", Span(utc(1), utc(4)), Resolution.DAY))
    assert [row[1:] for row in days] == [
        (None, "none", None, None),
        (12 * MWH, "valid", 1.0, 0.0),
        (None, "none", None, None),
    ]
    city.send([("s/n", utc(2, hour), 1.0) for hour in range(6)])
    now = city.access(now_us=us(utc(2, 12))).series("s/n", Span(utc(2), utc(4)), Resolution.DAY)
    assert [row[3] for row in said(now)] == [0.5, None]


def test_nobody_can_expect_events(city: City) -> None:
    city.register({"site": "s", "meter": "tap", "commodity": "hot_water", "unit": "L", "value_kind": "event_sum"})
    city.send([("s/tap", utc(2, 7), 30.0)])
    rows = said(city.access().series("s/tap", Span(utc(2), utc(3)), Resolution.DAY))
    assert [(row[1], row[3], row[4]) for row in rows] == [(30_000, None, 0.0)]


def in_us(periods: list[datetime]) -> npt.NDArray[np.int64]:
    return np.array([to_us(edge) for edge in periods], np.int64)


VALUES = st.integers(-(2**56), 2**56)
QUALITY = st.sampled_from(sorted(qualities_by_id()))


@given(st.dictionaries(st.integers(0, 40), st.tuples(VALUES, QUALITY), max_size=30), st.integers(1, 12), st.booleans())
def test_any_intervals_in_any_periods(cells: dict[int, tuple[int, int]], width: int, known: bool) -> None:
    start = utc(2)
    periods = [start + timedelta(hours=hour) for hour in range(0, 36, width)]
    rows = sorted(cells.items())
    starts = np.array([to_us(start) + (hour - 2) * HOUR_US for hour, _ in rows], np.int64)
    values = np.array([value for _, (value, _) in rows], np.int64)
    kinds = np.array([quality for _, (_, quality) in rows], np.uint8)
    expected = np.full(len(periods) - 1, width, np.int64) if known else None
    found = said(series_table(starts, values, kinds, periods, in_us(periods), expected))
    for index, row in enumerate(found):
        inside = [cells[h] for h in cells if index * width <= h - 2 < (index + 1) * width]
        check_period(row, inside, width if known else None)


def check_period(row: Row, inside: Sequence[tuple[int, int]], expected: int | None) -> None:
    """Check one period against its intervals (value, quality), in plain Python."""
    kinds = [qualities_by_id()[quality].kind for _, quality in inside]
    arrived, estimated = kinds.count("measured"), kinds.count("estimated")
    summed = sum(value for (value, _), kind in zip(inside, kinds, strict=True) if kind != "rejected")
    assert row[1] == (summed if arrived + estimated else None)
    worst = max((qualities_by_id()[quality] for _, quality in inside), key=lambda quality: quality.doubt, default=None)
    assert row[2] == (worst.code if worst else "none")
    assert row[3] == (None if expected is None else pytest.approx(arrived / expected))
    assert row[4] == (pytest.approx(estimated / (arrived + estimated)) if arrived + estimated else None)


@given(
    st.integers(0, 10**7), st.integers(1, 10**6), st.sampled_from([1, 5, 15, 30, 60, 1440]),
    st.sampled_from([MADRID, SEOUL, KATHMANDU]), st.integers(-500, 10**4), st.integers(0, 10**4),
)  # fmt: skip
def test_expected_slots_are_those_whose_start_lies_in_the_period(
    start: int, length: int, cadence: int, tz: object, installed: int, stays: int
) -> None:
    base, step = to_us(datetime(2025, 1, 1, tzinfo=UTC)), cadence * MINUTE_US
    phase = grid_phase(tz, step)  # type: ignore[arg-type]
    low, high = base + start * 1_000_000, base + (start + length % 10**5) * 1_000_000
    begin, end = base + installed * MINUTE_US, base + (installed + stays) * MINUTE_US
    found = expected_slots(np.array([low, high], np.int64), step, phase, begin, end)
    first = max(low, begin)
    slot, count = first - (first + phase) % step, 0
    while slot < min(high, end):
        count += slot >= first
        slot += step
    assert found.tolist() == [count]


def test_a_period_shows_its_most_doubtful_quality() -> None:
    order = sorted(qualities().values(), key=lambda quality: quality.doubt)
    periods = [utc(2), utc(3)]
    for better, worse in pairwise(order):
        starts, values = np.array([us(utc(2)), us(utc(2, 1))]), np.array([1, 2])
        table = series_table(starts, values, np.array([worse.id, better.id], np.uint8), periods, in_us(periods), None)
        assert said(table)[0][2] == worse.code


def test_periods_are_those_asked_for(city: City) -> None:
    city.register({"site": "s", "meter": "m", "cadence_min": 15})
    city.send([("s/m", utc(1) + timedelta(hours=n), 1.0) for n in range(24 * 20)])
    for resolution in Resolution:
        span = Span(utc(3, 5, 20), utc(20, 7, 40))
        table = city.access().series("s/m", span, resolution)
        assert table["start"].to_pylist() == edges(span, resolution, clock("UTC"))[:-1]
        values = [row[1] for row in said(table)]
        inside = [
            v
            for _, at, v, q in city.effective()
            if span.start_us <= at < span.end_us and qualities_by_id()[q].kind != "rejected"
        ]
        assert sum(value or 0 for value in values) == sum(inside)
