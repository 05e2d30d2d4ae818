"""The traps that the data's readme lists, one test each: handled or flagged, none smoothed away in silence."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from quintet.access import Access

Ask = Callable[..., list[tuple[Any, ...]]]
HOUR_US = 3_600_000_000
DAY_US = 24 * HOUR_US
GALLON_ML = (3_785_411_784, 1_000_000)


def test_cambridge_zeros_that_stand_for_gaps_are_flagged_and_kept(ask: Ask) -> None:
    """The publisher wrote 0 for what was missing: whole days of zeros stay 0, measured, questionable, by name (V10)."""
    rows = ask(
        """with zero as (
            select name, at_us // 86400000000 as day from published p join meter m using (name)
            where site = 'cambridge_even' group by all having count(*) = 24 and bool_and(value = 0)),
        said as (
            select z.name, z.day, count(*) as slots, min(s.value) as low, max(s.value) as high,
                count(*) filter (s.kind = 'measured' and s.quality = 'questionable') as flagged,
                any_value(exists (select 1 from finding f where f.name = z.name and f.rule = 'V10'
                    and f.at_us <= z.day * 86400000000 and f.until_us >= (z.day + 1) * 86400000000)) as named
            from zero z join series s on s.name = z.name and s.start_us // 86400000000 = z.day group by all)
        select commodity, count(*), count(distinct name), min(low), max(high), min(slots), min(flagged), bool_and(named)
        from said join meter using (name) group by 1 order by 1"""
    )
    assert rows == [("electricity", 463, 26, 0, 0, 24, 24, True), ("gas", 6684, 42, 0, 0, 24, 24, True)]


def test_cambridge_loses_no_hour_and_gains_none_but_the_stated_gaps(ask: Ask) -> None:
    estimated, published, stored = ask(
        """select (select count(*) from series join meter using (name)
                where site = 'cambridge_even' and kind = 'estimated'),
            (select count(*) from published join meter using (name) where site = 'cambridge_even'),
            (select count(*) from series join meter using (name) where site = 'cambridge_even' and kind = 'measured')"""
    )[0]
    assert stored == published == 1_402_464 + 946_536
    assert estimated == 0


def test_alicante_jumps_of_248520_litres_give_neither_spike_nor_negative(ask: Ask) -> None:
    jumps = ask(
        """with step as (
            select name, at_us, value - lag(value) over (partition by name order by at_us) as litres
            from published where name like 'alicante_even/%-water')
        select name, at_us from step where abs(litres) > 100000 order by at_us"""
    )
    assert {name for name, _ in jumps} == {"alicante_even/hh050-water"}
    assert len(jumps) == 8
    low, high = ask("select min(value), max(value) from series where name = 'alicante_even/hh050-water'")[0]
    assert low == 0
    assert high < 2_000_000
    named = ask("select count(*) from finding where name = 'alicante_even/hh050-water' and rule = 'excursion'")
    assert named == [(5,)]
    doubted = ask(
        """select count(*) from finding f join series s on s.name = f.name
            and f.at_us between s.start_us and s.start_us + 3600000000
            where f.name = 'alicante_even/hh050-water' and f.rule = 'excursion' and s.quality in ('valid')"""
    )
    assert doubted == [(0,)]


def test_no_dwelling_uses_more_water_in_an_hour_than_a_pipe_gives(ask: Ask) -> None:
    """92 homes, a year: no interval above 3 m3, whatever the registers did."""
    assert ask("select name from series where name like 'alicante_even/%-water' and value > 3000000") == []


def test_a_gap_of_1769_hours_is_estimated_labelled_and_exact(ask: Ask) -> None:
    name, start, end = ask(
        """select name, at_us, next_us from (
            select name, at_us, lead(at_us) over (partition by name order by at_us) as next_us
            from published where name like 'alicante_even/%-water') order by next_us - at_us desc limit 1"""
    )[0]
    assert name == "alicante_even/hh068-water"
    assert (end - start) // HOUR_US == 1769
    slots = ask(
        "select value, quality, kind from series where name = ? and start_us >= ? and start_us + ? <= ?",
        [name, start, HOUR_US, end],
    )
    assert len(slots) in {1768, 1769}
    assert {kind for _, _, kind in slots} == {"estimated"}
    assert {quality for _, quality, _ in slots} <= {"like_day_scaled", "register_spread"}
    litres = ask(
        """select arg_max(value, at_us) - arg_min(value, at_us) from published
            where name = ? and at_us in (?, ?)""",
        [name, start, end],
    )[0][0]
    partial = ask(
        """select sum(value) from series where name = ? and kind = 'measured'
            and start_us > ? - 3600000000 and start_us < ?""",
        [name, start, end],
    )[0][0]
    inside = sum(value for value, _, _ in slots)
    # The slots that hold the two readings have a share of the span and of the hour beside it.
    assert inside <= litres * 1000 <= inside + partial


@pytest.mark.parametrize(
    ("name", "hours"), [("burnaby_y2/house1-main", 792), ("ucsd_a/StudentServices-RealPower", 1405)]
)
def test_a_long_gap_without_a_register_stays_a_gap(ask: Ask, name: str, hours: int) -> None:
    start, end, cadence = ask(
        """select at_us, next_us, cadence_min * 60000000 from (
            select name, at_us, lead(at_us) over (partition by name order by at_us) as next_us
            from published) join meter using (name) where name = ? order by next_us - at_us desc limit 1""",
        [name],
    )[0]
    assert (end - start - cadence) // HOUR_US in {hours, hours - 1}
    assert ask("select count(*) from series where name = ? and start_us > ? and start_us < ?", [name, start, end]) == [
        (0,)
    ]
    assert ask(
        "select count(*) from finding where name = ? and rule = 'V03_gap' and at_us = ?", [name, start + cadence]
    )[0] == (1,)


@pytest.mark.parametrize(("meter", "least"), [("GDC-water", 708), ("JCD-water", 705)])
def test_ut_austin_closing_row_belongs_to_the_day_before(ask: Ask, meter: str, least: int) -> None:
    """On days whose counter rises from a reset to a last row that is not repeated, the day's sum is its 00:00 row."""
    sound = ask(
        """with row as (
            select at_us, atto, versions, timezone('America/Chicago', make_timestamptz(at_us - 1))::date as day,
                lag(atto) over (order by at_us) as before, lead(atto) over (order by at_us) as after,
                lag(at_us) over (order by at_us) as before_us
            from published where name = ?),
        judged as (
            select day, arg_max(atto, at_us) as closing, max(at_us) as end_us, arg_min(atto, at_us) as opening,
                arg_min(before, at_us) as previous, max(versions) as versions, max(at_us - before_us) as longest,
                count(*) filter (atto < before) as falls, arg_min(atto < before, at_us) as fell_first,
                arg_max(after, at_us) as following
            from row group by day)
        select day, closing from judged where versions = 1 and longest = 900000000
            and falls = (previous > 0)::int and (fell_first or previous = 0)
                and (closing = 0 or following <> closing)
            and timezone('America/Chicago', make_timestamptz(end_us))::time = '00:00'""",
        [f"ut_austin_a/{meter}"],
    )
    sums = dict(
        ask(
            """select timezone('America/Chicago', make_timestamptz(start_us))::date, sum(value)::bigint
                from series where name = ? group by 1""",
            [f"ut_austin_a/{meter}"],
        )
    )
    assert len(sound) > least
    num, den = GALLON_ML
    wrong = {day: (sums[day], int(atto)) for day, atto in sound if sums[day] != int(atto) * num // (den * 10**18)}
    assert wrong == {}


def test_ut_austin_rows_of_doubled_autumn_hours_are_flagged(ask: Ask) -> None:
    rows = ask(
        """select p.name, count(*), sum(p.rows - 1)::int, count(*) filter (p.versions > 1) from published p
            where name like 'ut_austin_a/%-water' and p.rows > 1 group by 1 order by 1"""
    )
    assert rows == [("ut_austin_a/GDC-water", 8, 8, 5), ("ut_austin_a/JCD-water", 8, 8, 8)]
    unnamed = ask(
        """select p.name, p.at_us from published p where name like 'ut_austin_a/%-water' and versions > 1
            and not exists (select 1 from finding f where f.name = p.name and f.at_us = p.at_us
                and rule = 'V19_conflict')"""
    )
    assert unnamed == []
    # The interval that ends at such a row and the one that starts there are doubted or estimated: never plainly valid.
    valid = ask(
        """select p.name, p.at_us from published p join series s on s.name = p.name
            and s.start_us in (p.at_us, p.at_us - 900000000)
            where p.name like 'ut_austin_a/%-water' and versions > 1 and s.quality = 'valid'"""
    )
    assert valid == []
    assert ask("select count(*) from series where name like 'ut_austin_a/%-water' and value < 0") == [(0,)]


def test_la_trobe_duplicated_gas_hours_count_once(ask: Ask) -> None:
    twice, differing = ask(
        """select count(*) filter (rows > 1), count(*) filter (versions > 1) from published
            where name = 'latrobe/campus-gas'"""
    )[0]
    assert (twice, differing) == (1423, 6)
    doubted = ask(
        """select p.versions > 1, s.quality, count(*) from published p join series s
            on s.name = p.name and s.start_us = p.at_us
            where p.name = 'latrobe/campus-gas' and p.rows > 1 group by all order by all"""
    )
    assert sum(count for differs, _, count in doubted if differs) == 6
    assert sum(count for _, _, count in doubted) == 1423
    assert {quality for differs, quality, _ in doubted if differs} == {"questionable"}


def test_la_trobe_water_names_its_25_rollbacks_and_gives_no_negative(ask: Ask) -> None:
    assert ask("select count(*) from finding where name = 'latrobe/W5-water' and rule = 'rollback'") == [(25,)]
    assert ask("select min(value) from series where name = 'latrobe/W5-water'")[0][0] >= 0
    assert ask("select min(value) from published where name = 'latrobe/W5-water'")[0][0] >= 0


def test_ucsd_repeated_stamps_take_the_lower_and_say_so(ask: Ask) -> None:
    rows = ask(
        """select p.name, count(*), count(*) filter (versions > 1), count(*) filter (f.rule is not null),
                count(*) filter (s.quality = 'questionable' and versions > 1)
            from published p join series s on s.name = p.name and s.start_us = p.at_us
            left join (select distinct name, at_us, rule from finding where rule = 'V19_conflict') f
                on f.name = p.name and f.at_us = p.at_us
            where p.name like 'ucsd_a/campus-%' and p.rows > 1 group by 1 order by 1"""
    )
    assert rows == [
        ("ucsd_a/campus-OnCampusGeneration", 4, 4, 4, 4),
        ("ucsd_a/campus-SDGE_Import", 4, 3, 3, 3),
        ("ucsd_a/campus-TotalCampusLoad", 4, 4, 4, 4),
    ]


def test_ucsd_solar_below_zero_at_night_is_kept_and_mostly_what_an_inverter_draws(ask: Ask) -> None:
    """All but 158 values of two panels are within the standby of V12, and none of them is lost."""
    rows = ask(
        """select count(distinct p.name), count(*),
                count(*) filter (s.quality = 'questionable' and s.kind = 'measured'),
                sum(p.atto)::hugeint, sum(s.value * 4)::hugeint
            from published p join series s on s.name = p.name and s.start_us = p.at_us
            where p.name like 'ucsd_a/%-pv' and p.value < 0"""
    )[0]
    assert rows[0] == 7
    assert rows[1] == 35_330 + 3_845 + 75_347 + 7_112 + 6_927 + 4_729 + 62_098
    assert rows[2] == 158
    assert int(rows[3]) * 10**6 == int(rows[4]) * 10**18
    named = ask("select count(distinct name) from finding where name like 'ucsd_a/%-pv' and rule = 'V12_reverse'")
    assert named == [(2,)]


def test_fontana_home15_keeps_its_zeros(ask: Ask) -> None:
    """94 % of its solar is 0: kept as measured zeros, not filled, not taken for missing."""
    share, kinds, count = ask(
        """select avg((value = 0)::int), count(distinct kind), count(*) from series
            where name = 'fontana_odd/home15-pv'"""
    )[0]
    assert 0.93 < share < 0.94
    assert (kinds, count) == (1, 8760)
    zeros = ask("select count(*) from published where name = 'fontana_odd/home15-pv' and value = 0")[0][0]
    assert round(share * count) >= zeros


def test_burnaby_keeps_the_note_that_its_clocks_may_differ(read_plain: Access) -> None:
    (meter,) = [one for one in read_plain.registry().meters() if one.meter == "house1-main"]
    assert "alignment with water/gas not proven" in str(meter.notes)


def test_rows_without_a_value_leave_a_gap_and_never_a_zero(ask: Ask, measured: Path) -> None:
    """The 82 rows of the water register that hold nothing are no readings: what they leave open is estimated."""
    rows = ask(
        f"""with hollow as (
            select distinct epoch_us(ts_utc) as at_us from '{measured}/readings.parquet'
            where meter = 'W5-water' and value is null and ts_utc is not null),
        spans as (
            select at_us as from_us, lead(at_us) over (order by at_us) as until_us from published
            where name = 'latrobe/W5-water')
        select s.kind, count(*) from hollow h join spans on h.at_us > from_us and h.at_us < until_us
            join series s on s.name = 'latrobe/W5-water' and s.start_us = h.at_us
            where until_us - from_us > 2 * 900000000 group by 1"""
    )
    assert [kind for kind, _ in rows] == ["estimated"]
    assert rows[0][1] > 10
