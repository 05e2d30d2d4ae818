"""A place's flows equal sums done in plain Python over the places tree, open, closed, late, and as once known."""

from bisect import bisect_right
from datetime import UTC, datetime, timedelta
from random import Random

import pytest

from quintet.access import FlowsAnswer
from quintet.registry import rewire
from quintet.terms.period import FIXED_MINUTES, Resolution, Span, edges, to_us
from quintet.terms.quality import qualities_by_id
from quintet.terms.reading import clock
from quintet.terms.tables import FLOWS

from .conftest import BOUNDARY, COUNTED, METERS, PARENT, City, NewCity, played, small_city, us, utc

MEASURED = {number for number, quality in qualities_by_id().items() if quality.kind == "measured"}
ESTIMATED = {number for number, quality in qualities_by_id().items() if quality.kind == "estimated"}
CADENCE = {f"{meter['site']}/{meter['meter']}": meter.get("cadence_min", 60) for meter in METERS}
COMMODITY = {f"{meter['site']}/{meter['meter']}": meter.get("commodity", "electricity") for meter in METERS}
Key = tuple[datetime, str, str, bool]
Cells = dict[Key, tuple[int | None, int, int]]
Placed = dict[str, list[tuple[str, int, int]]]
Rows = list[tuple[str, int, int, int]]
EVER = 2**62


def above(place: str | None) -> list[str]:
    """Give a place and all above it."""
    return [] if place is None else [place, *above(PARENT[place])]


def recomputed(
    rows: Rows, place: str, periods: list[datetime], moved: Placed | None = None, step: Resolution = Resolution.MONTH
) -> Cells:
    """Sum effective intervals in plain Python. `moved` says of a channel where it counts from when until when.

    What a meter counts in intervals longer than a step is known in none of them.
    """
    longest = {Resolution.DAY: 1440, **FIXED_MINUTES}.get(step, EVER)
    cells: dict[Key, list[int]] = {}
    bounds = [to_us(edge) for edge in periods]

    def add(key: Key, value: int, quality: int, minutes: int) -> None:
        cell = cells.setdefault(key, [0, 0, 0])
        if quality in MEASURED | ESTIMATED:
            cell[0] += value
            cell[1 if quality in MEASURED else 2] += minutes

    for name, start, value, quality in rows:
        if name not in COUNTED or not bounds[0] <= start < bounds[-1] or CADENCE[name] > longest:
            continue
        at, flow, renewable = COUNTED[name]
        for where, begin, end in (moved or {}).get(name, [(at, -EVER, EVER)]):
            if not begin <= start < end or (where != place if flow in BOUNDARY else place not in above(where)):
                continue
            period = periods[bisect_right(bounds, start) - 1]
            commodity = "electricity" if COMMODITY[name] == "solar" else COMMODITY[name]
            if flow == "storage":
                add((period, commodity, "storage_discharge", renewable), max(value, 0), quality, CADENCE[name])
                add((period, commodity, "storage_charge", renewable), max(-value, 0), quality, CADENCE[name])
            else:
                add((period, commodity, flow, renewable), value, quality, CADENCE[name])
    return {
        key: (value, arrived, estimated) for key, (value, arrived, estimated) in cells.items() if arrived or estimated
    }


def answered(answer: FlowsAnswer) -> Cells:
    """Give the cells of an answer in which something is known."""
    assert answer.flows.schema == FLOWS
    out: Cells = {}
    for row in answer.flows.to_pylist():
        unknown = row["arrived_min"] + row["estimated_min"] == 0
        absent = row["expected_min"] == 0 and row["value"] == 0
        assert absent or (row["value"] is None) == unknown, "null is never 0"
        if row["value"] is not None and not absent:
            key = (row["start"], row["commodity"], row["flow"], row["renewable"])
            assert key not in out
            out[key] = (int(row["value"]), row["arrived_min"], row["estimated_min"])
    return out


def check(city: City, span: Span, resolutions: list[Resolution], moved: Placed | None = None) -> None:
    access, rows = city.access(), city.effective()
    for place in PLACES:
        for resolution in resolutions:
            answer = access.flows(place, span, resolution)
            assert answer.edges == edges(span, resolution, clock(city.timezone))
            assert answered(answer) == recomputed(rows, place, answer.edges, moved, resolution), (place, resolution)


EVERY = [Resolution.HALF, Resolution.HOUR, Resolution.DAY]
PLACES = ["city", "d1", "s1", "s1/b1/1", "s2/b1"]
"""One of each level, with and without boundaries of its own."""
WHOLE = Span(utc(2), utc(5))


def test_open_closed_mixed_and_late_days_sum_the_same(city: City) -> None:
    small_city(city, utc(2), 3)
    assert any(quality in ESTIMATED for *_, quality in city.effective()), "the gaps were filled"
    check(city, WHOLE, EVERY)
    third = us(utc(3)) // 86_400_000_000
    city.close_all(but=third)
    check(city, WHOLE, EVERY)
    city.close_all()
    check(city, WHOLE, EVERY)
    city.send([("s1/left", utc(2, 5), 7.5), ("s1/battery", utc(3, 5, 15), -3.25), ("city/grid", utc(4, 0), 1.125)])
    check(city, WHOLE, [Resolution.HOUR, Resolution.DAY])
    city.close_all()
    check(city, WHOLE, [Resolution.HOUR, Resolution.DAY])


def test_a_span_that_cuts_hours_and_days_is_summed_exactly(city: City) -> None:
    small_city(city, utc(2), 3)
    city.close_all(but=us(utc(4)) // 86_400_000_000)
    for span in (Span(utc(2, 7, 20), utc(4, 9, 50)), Span(utc(3, 0, 15), utc(3, 0, 30)), Span(utc(1), utc(9))):
        check(city, span, [Resolution.QUARTER, Resolution.HOUR, Resolution.MONTH])


@pytest.mark.parametrize(
    ("zone", "start"),
    [
        ("Asia/Seoul", datetime(2025, 1, 9, 15, tzinfo=UTC)),
        ("Europe/Madrid", datetime(2025, 3, 28, 23, tzinfo=UTC)),
        ("Europe/Madrid", datetime(2025, 10, 24, 22, tzinfo=UTC)),
        ("Asia/Kathmandu", datetime(2025, 1, 9, 18, 15, tzinfo=UTC)),
        ("Australia/Lord_Howe", datetime(2025, 4, 4, 13, tzinfo=UTC)),
    ],
)
def test_days_are_the_citys_days(new_city: NewCity, zone: str, start: datetime) -> None:
    city = small_city(new_city(zone), start, 3)
    span = Span(start, start + timedelta(days=3))
    check(city, span, [Resolution.DAY])
    city.close_all()
    check(city, span, [Resolution.DAY, Resolution.HOUR])


@pytest.mark.parametrize("seed", range(2))
def test_one_batch_or_many_and_closings_between_sum_the_same(city: City, seed: int) -> None:
    city.register(*METERS)
    dice = Random(seed)
    rows = played(city, utc(2), 3, dice)
    dice.shuffle(rows)
    for part in range(4):
        city.send(rows[part::4])
        if part in (1, 2):
            city.close_all()
    city.describe(place=[{"id": "d1", "level": "district"}])
    for place in ("s1/b1/1", "s2/b1", "city"):
        answer = city.access().flows(place, WHOLE, Resolution.DAY)
        own = {name for name, (at, flow, _) in COUNTED.items() if flow == "consumption" and place in above(at)}
        expected = sum(
            v
            for n, _, v, q in city.effective()
            if n in own and q in MEASURED | ESTIMATED and COMMODITY[n] == "electricity"
        )
        if place == "city":  # nothing says yet that these belong to plants: they count by their roles
            continue
        found = [
            v
            for (_, commodity, flow, _), (v, *_) in answered(answer).items()
            if (commodity, flow) == ("electricity", "consumption")
        ]
        assert sum(value for value in found if value is not None) == expected != 0


def test_a_storage_is_split_by_sign_interval_by_interval(city: City) -> None:
    small_city(city, utc(9), 1)
    city.send(
        [("s1/battery", utc(2, 1, minute), value) for minute, value in ((0, 1.5), (15, -4.0), (30, 0.25), (45, 0.0))]
    )
    for close in (False, True):
        if close:
            city.close_all()
        span = Span(utc(2, 1), utc(2, 2))
        for resolution in (Resolution.HOUR, Resolution.DAY):
            for place in ("d1", "city"):
                cells = answered(city.access().flows(place, span, resolution))
                assert cells[span.start, "electricity", "storage_discharge", False] == (1_750_000, 60, 0)
                assert cells[span.start, "electricity", "storage_charge", False] == (4_000_000, 60, 0)
        assert answered(city.access().flows("s1", span, Resolution.HOUR)) == {}


def test_boundary_flows_count_only_where_they_stand(city: City) -> None:
    small_city(city, utc(2), 1)
    for closed in (False, True):
        if closed:
            city.close_all()
        imported: dict[str, set[str]] = {}
        for place in PARENT:
            answer = city.access().flows(place, Span(utc(2), utc(3)), Resolution.DAY)
            crossing = {(flow, commodity) for _, commodity, flow, _ in answered(answer) if flow in BOUNDARY}
            imported[place] = {f"{flow} {commodity}" for flow, commodity in crossing}
            metered = {commodity for flow, commodity in crossing if flow == "import"}
            assert {commodity for commodity, _ in answer.boundaries_metered} == metered
        assert {place: flows for place, flows in imported.items() if flows} == {
            "city": {"import electricity", "export electricity", "import gas"},
            "s1": {"import electricity"},
            "s2/b1": {"import electricity", "export electricity"},
        }


def test_what_is_no_carrier_and_what_a_submeter_says_is_nobodys_flow(city: City) -> None:
    small_city(city, utc(2), 1)
    answer = city.access().flows("s1/b2", Span(utc(2), utc(3)), Resolution.DAY)
    assert {(row["commodity"], row["flow"]) for row in answer.flows.to_pylist()} == {
        ("electricity", "consumption"),
        ("electricity", "local_generation"),
    }


def test_a_rewired_meter_changes_past_flows_of_days_that_were_closed(city: City) -> None:
    small_city(city, utc(2), 3)
    city.close_all()
    before = {place: answered(city.access().flows(place, WHOLE, Resolution.HOUR)) for place in PLACES}
    known, batch = city.now, city.engine.last_batch
    city.tick()
    city.apply(rewire(city.pipeline.registry(), "s1/left", valid_from=utc(3), place="s2/b1"))
    turn = us(utc(3))
    moved = {
        "s1/left": [("s1/b1/1", -EVER, turn), ("s2/b1", turn, EVER)],
    }
    check(city, WHOLE, [Resolution.HOUR, Resolution.DAY, Resolution.QUARTER], moved)
    after = {place: answered(city.access().flows(place, WHOLE, Resolution.HOUR)) for place in PLACES}
    assert after["city"] == before["city"]
    assert after["s1/b1/1"] != before["s1/b1/1"]
    assert after["s2/b1"] != before["s2/b1"]
    for place in PLACES:
        answer = city.access().flows(place, WHOLE, Resolution.HOUR, known_at=known)
        assert answered(answer) == before[place] == recomputed(city.effective(batch), place, answer.edges)
    city.send([("s2/flat", utc(2, 3), 4.5)])
    city.close_all()
    check(city, WHOLE, [Resolution.DAY], moved)


def test_flows_as_known_at_every_batch(city: City) -> None:
    small_city(city, utc(2), 2)
    moments = [(city.now, city.engine.last_batch)]
    for value in (5.5, 6.5):
        city.close_all()
        city.send([("s1/left", utc(2, 4), value), ("s1/battery", utc(3, 4, 30), -value), ("s1/gate", utc(2, 9), value)])
        moments.append((city.now, city.engine.last_batch))
    span = Span(utc(2), utc(4))
    found = []
    for known, batch in moments:
        for place in ("s1/b1/1", "d1", "s1", "city"):
            answer = city.access().flows(place, span, Resolution.DAY, known_at=known)
            assert answered(answer) == recomputed(city.effective(batch), place, answer.edges)
            assert (answer.known_at, answer.rule_set, answer.place) == (known, "rules-1", place)
        found.append(answered(city.access().flows("d1", span, Resolution.DAY, known_at=known)))
    assert found[0] != found[1] != found[2]
    assert answered(city.access().flows("city", span, Resolution.DAY)) == recomputed(
        city.effective(), "city", edges(span, Resolution.DAY, clock("UTC"))
    )


def test_before_anything_was_known_there_is_no_such_place_content(city: City) -> None:
    small_city(city, utc(2), 1)
    answer = city.access().flows(
        "city", Span(utc(2), utc(3)), Resolution.DAY, known_at=datetime(2020, 1, 1, tzinfo=UTC)
    )
    assert answered(answer) == {}
    assert answer.boundaries_metered == set()


def expected_minutes(
    city: City, place: str, span: Span, resolution: Resolution, now_us: int | None = None
) -> list[int]:
    rows = city.access(now_us=now_us).flows(place, span, resolution).flows.to_pylist()
    return [row["expected_min"] for row in rows if (row["commodity"], row["flow"]) == ("water", "consumption")]


def test_minutes_are_expected_of_meters_in_place_until_now(city: City) -> None:
    water = {"site": "w", "building": "b", "commodity": "water", "unit": "m3"}
    city.register(
        {**water, "meter": "always"},
        {**water, "meter": "comes", "installed": "2025-01-03T06:00:00Z"},
        {**water, "meter": "goes", "removed": "2025-01-03T12:30:00Z"},
        {**water, "meter": "taps", "value_kind": "event_sum"},
    )
    span, day = Span(utc(2), utc(5)), 1440
    assert expected_minutes(city, "w", span, Resolution.DAY) == [2 * day, day + 18 * 60 + 13 * 60, 2 * day]
    hours = expected_minutes(city, "w/b", Span(utc(3, 5), utc(3, 14)), Resolution.HOUR)
    assert hours == [120, 180, 180, 180, 180, 180, 180, 180, 120]
    assert expected_minutes(city, "city", span, Resolution.DAY, us(utc(3, 1))) == [2 * day, 120, 0]
    assert expected_minutes(city, "city", span, Resolution.DAY, us(utc(1))) == [0, 0, 0]


def test_a_flow_of_events_alone_is_there_and_expected_of_nobody(city: City) -> None:
    city.register({"site": "w", "meter": "taps", "commodity": "hot_water", "unit": "L", "value_kind": "event_sum"})
    city.send([("w/taps", utc(2, 7), 30.0)])
    (row,) = city.access().flows("w", Span(utc(2), utc(3)), Resolution.DAY).flows.to_pylist()
    assert (row["expected_min"], row["value"], row["commodity"]) == (0, 30_000, "hot_water")
    assert row["arrived_min"] > 0


def test_a_place_without_meters_has_no_flows(city: City) -> None:
    city.describe(place=[{"id": "d9", "level": "district"}])
    answer = city.access().flows("d9", Span(utc(2), utc(3)), Resolution.HOUR)
    assert answer.flows.num_rows == 0
    assert len(answer.edges) == 25


def test_a_meter_that_never_spoke_is_expected_and_null(city: City) -> None:
    city.register({"site": "w", "meter": "dead"})
    rows = city.access().flows("w", Span(utc(2), utc(4)), Resolution.DAY).flows.to_pylist()
    assert [(row["value"], row["expected_min"], row["arrived_min"]) for row in rows] == [(None, 1440, 0)] * 2


def test_a_citys_sum_goes_beyond_64_bits(city: City) -> None:
    city.register(*({"site": "w", "meter": f"m{n}", "unit": "GWh", "plate_max": 5_000.0} for n in range(120)))
    city.send([(f"w/m{n}", utc(2, hour), 4_000.0 + hour % 2) for n in range(120) for hour in range(24)])
    for close in (False, True):
        if close:
            city.close_all()
        (row,) = city.access().flows("city", Span(utc(2), utc(3)), Resolution.DAY).flows.to_pylist()
        assert int(row["value"]) == 120 * 12 * (4_000 + 4_001) * 10**12 > 2**63


def test_one_poisoned_meter_neither_wraps_a_sum_nor_keeps_a_day_from_closing(city: City) -> None:
    """Readings at the edge of what is accepted: what is summed must be the sum of what stands, whatever was refused."""
    city.register({"site": "w", "meter": "poisoned", "unit": "Wh"}, {"site": "w", "meter": "sound"})
    city.send([("w/poisoned", utc(2, hour), 1e15 - hour * 1e12) for hour in range(24)])
    city.send([("w/sound", utc(2, hour), 1.5) for hour in range(12)])
    expected = sum(value for _, _, value, quality in city.effective() if quality in MEASURED | ESTIMATED)
    for close in (False, True):
        if close:
            city.close_all()
        (row,) = city.access().flows("city", Span(utc(2), utc(3)), Resolution.DAY).flows.to_pylist()
        assert int(row["value"]) == expected
    series = city.access().series("w/poisoned", Span(utc(2), utc(3)), Resolution.DAY)["value"].to_pylist()
    assert [int(value or 0) for value in series] == [expected - 12 * 1_500_000]


def consumed(city: City, place: str, span: Span, resolution: Resolution) -> list[int]:
    rows = city.access().flows(place, span, resolution).flows.to_pylist()
    return [int(row["value"] or 0) for row in rows if (row["commodity"], row["flow"]) == ("electricity", "consumption")]


def test_a_meter_that_begins_or_ends_within_an_hour_counts_from_then_on_open_or_closed(city: City) -> None:
    """An exchange at half past six: what the old one counted before and the new one after is all of the hour."""
    base = {"site": "s", "building": "b", "cadence_min": 15}
    city.register(
        {**base, "meter": "old", "removed": "2025-01-02T06:30:00Z"},
        {**base, "meter": "new", "installed": "2025-01-02T06:30:00Z"},
    )
    turn = utc(2, 6, 30)
    rows = [utc(2, hour, minute) for hour in range(12) for minute in (0, 15, 30, 45)]
    city.send([("s/old" if at < turn else "s/new", at, 1.0) for at in rows])
    span, hour = Span(utc(2, 6), utc(2, 8)), 4_000_000
    assert consumed(city, "s/b", span, Resolution.QUARTER) == [hour // 4] * 8
    assert consumed(city, "s/b", span, Resolution.HOUR) == [hour, hour], "while the day is open"
    city.close_all()
    assert consumed(city, "s/b", span, Resolution.HOUR) == [hour, hour], "once it is closed"


def test_a_rewiring_within_an_hour_parts_the_hour_open_or_closed(city: City) -> None:
    small_city(city, utc(9), 1)
    city.send([("s1/right", utc(2, 5, minute), value) for minute, value in ((0, 1.0), (15, 2.0), (30, 4.0), (45, 8.0))])
    city.apply(rewire(city.pipeline.registry(), "s1/right", valid_from=utc(2, 5, 30), place="s2/b1"))
    span = Span(utc(2, 5), utc(2, 6))
    for closed in (False, True):
        if closed:
            city.close_all()
        assert consumed(city, "s1/b1/2", span, Resolution.HOUR) == [3_000_000]
        assert consumed(city, "s2/b1", span, Resolution.HOUR) == [12_000_000]
        assert consumed(city, "city", span, Resolution.HOUR) == [15_000_000]


def test_what_commits_while_a_day_closes_is_counted_once(city: City, monkeypatch: pytest.MonkeyPatch) -> None:
    small_city(city, utc(2), 1)
    publish = city.engine.lakes["intervals"].publish

    def interrupted(*arguments: object) -> object:
        monkeypatch.undo()
        city.send([("s1/left", utc(2, 4), 50.0), ("s1/gate", utc(2, 9), 60.0), ("s1/battery", utc(2, 9, 30), -7.0)])
        return publish(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(city.engine.lakes["intervals"], "publish", interrupted)
    city.close_all()
    check(city, Span(utc(2), utc(3)), [Resolution.HOUR, Resolution.DAY])
    city.close_all()
    check(city, Span(utc(2), utc(3)), [Resolution.HOUR])


def test_a_meter_moved_within_an_hour_and_later_on_the_hour_counts_at_each_place_in_turn(city: City) -> None:
    small_city(city, utc(2), 2)
    for at, place in ((utc(2, 5, 30), "s2/b1"), (utc(2, 10), "s1/b1/1")):
        city.apply(rewire(city.pipeline.registry(), "s1/right", valid_from=at, place=place))
    first, second = us(utc(2, 5, 30)), us(utc(2, 10))
    moved = {"s1/right": [("s1/b1/2", -EVER, first), ("s2/b1", first, second), ("s1/b1/1", second, EVER)]}
    check(city, Span(utc(2), utc(4)), [Resolution.HOUR], moved)
    city.close_all()
    check(city, Span(utc(2), utc(4)), [Resolution.HOUR, Resolution.DAY], moved)
