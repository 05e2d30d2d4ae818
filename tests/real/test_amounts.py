"""Interval sums, mean powers and events: what is stored equals what was published, to the last sub-unit, per meter."""

from collections.abc import Callable
from typing import Any

Ask = Callable[..., list[tuple[Any, ...]]]
ONE = 10**18
"""`atto` counts in 10^-18 of a unit."""

AMOUNTS = "m.value_kind in ('interval_sum', 'avg_power') and num is not null and m.commodity <> 'cooling'"
"""Meters whose readings are amounts or mean rates, in a unit that is known."""


def test_every_published_stamp_is_one_measured_interval(ask: Ask) -> None:
    """No value is invented beside the measured ones but where nothing was published, and none is lost."""
    lost = ask(
        f"""select p.name, count(*) from published p join meter m using (name)
            left join series s on s.name = p.name and s.start_us = p.at_us and s.kind = 'measured'
            where {AMOUNTS} and s.value is null group by all"""
    )
    assert lost == []
    added = ask(
        f"""select s.name, s.kind, count(*) from series s join meter m using (name)
            left join published p on p.name = s.name and s.start_us = p.at_us
            where {AMOUNTS} and p.value is null and s.kind <> 'estimated' group by all"""
    )
    assert added == []


def test_each_running_sum_is_the_published_one_rounded_down(ask: Ask) -> None:
    """After every interval: 0 <= published so far - stored so far < 1 sub-unit, in exact whole numbers."""
    rows = ask(
        f"""with paired as (
            select p.name, num, den,
                sum(p.atto) over so_far * num as said,
                sum(s.value::hugeint) over so_far * den * {ONE}::hugeint as stored
            from published p join meter m using (name)
                join series s on s.name = p.name and s.start_us = p.at_us and s.kind = 'measured'
            where {AMOUNTS}
            window so_far as (partition by p.name order by p.at_us rows unbounded preceding))
        select name, count(*), count(*) filter (
                said - stored < 0 or said - stored >= den * {ONE}::hugeint),
            count(*) filter (said <> stored) from paired group by name order by name"""
    )
    assert len(rows) == 99 + 18 + 3 + 20 + 2 + 2 + 6
    assert [name for name, _, wrong, _ in rows if wrong] == []
    # Where a reading is a whole number of sub-units there is no remainder at all.
    rest = {name for name, _, _, carried in rows if carried}
    assert {name for name in rest if name.startswith(("cambridge", "ut_austin", "ucsd_a"))} == set()
    assert "latrobe/campus-gas" in rest
    assert "burnaby_y2/house1-main" in rest
    assert sum(count for _, count, _, _ in rows) > 5_000_000


def test_the_whole_sum_of_each_meter(ask: Ask) -> None:
    rows = ask(
        f"""select p.name, sum(p.atto), min(num), min(den),
                (select sum(value) from series s where s.name = p.name and kind = 'measured')
            from published p join meter m using (name) where {AMOUNTS} group by p.name"""
    )
    wrong = {
        name: (int(stored), int(said) * num // (den * ONE))
        for name, said, num, den, stored in rows
        if int(stored) != int(said) * num // (den * ONE)
    }
    assert wrong == {}


def test_of_two_values_at_one_stamp_the_lower_magnitude_counts_and_is_flagged(ask: Ask) -> None:
    rows = ask(
        f"""select p.name, s.quality, count(*) from published p join meter m using (name)
            join series s on s.name = p.name and s.start_us = p.at_us
            where {AMOUNTS} and p.versions > 1 group by all"""
    )
    assert rows
    assert {quality for _, quality, _ in rows} == {"questionable"}
    named = ask(
        f"""select p.name, p.at_us from published p join meter m using (name)
            anti join (select * from finding where rule = 'V19_conflict') f on f.name = p.name and f.at_us = p.at_us
            where {AMOUNTS} and p.versions > 1"""
    )
    assert named == []


def test_estimates_stand_only_between_readings_and_never_for_longer_than_a_week(ask: Ask) -> None:
    rows = ask(
        f"""with gap as (
            select p.name, p.at_us + cadence_min * 60000000 as first_us,
                lead(p.at_us) over (partition by p.name order by p.at_us) as until_us, cadence_min
            from published p join meter m using (name) where {AMOUNTS})
        select g.name, (until_us - first_us) // (cadence_min * 60000000) as slots, g.cadence_min, count(s.value),
            min(s.kind)
        from gap g left join series s on s.name = g.name and s.start_us >= g.first_us and s.start_us < g.until_us
        where until_us > first_us group by g.name, first_us, until_us, cadence_min"""
    )
    assert len(rows) > 600
    for name, slots, cadence, estimated, kind in rows:
        if slots * cadence > 7 * 1440:
            assert estimated == 0, name
        elif estimated:
            assert (kind, estimated <= slots) == ("estimated", True), name
    assert (
        sum(estimated for *_, estimated, _ in rows)
        == ask(f"select count(*) from series s join meter m using (name) where {AMOUNTS} and kind = 'estimated'")[0][0]
    )


def test_showers_add_up_in_their_quarter_hours(ask: Ask) -> None:
    """An event is one amount at a moment; a slot without one holds nothing, for nobody said that it was zero."""
    differ = ask(
        """with slots as (
            select p.name, p.at_us // 900000000 * 900000000 as start_us, sum(p.value * num / den)::bigint as said
            from published p join meter m using (name) where value_kind = 'event_sum' group by all)
        select name, start_us, said, value from slots full join (
                select s.* from series s join meter m using (name) where value_kind = 'event_sum') s
            using (name, start_us) where said is distinct from value"""
    )
    assert differ == []
    meters, litres = ask(
        """select count(distinct p.name), sum(p.value) from published p join meter m using (name)
            where value_kind = 'event_sum'"""
    )[0]
    assert meters == 38
    assert (
        litres * 1000
        == ask("select sum(s.value) from series s join meter m using (name) where value_kind = 'event_sum'")[0][0]
    )
