"""Registers: intervals, measured and estimated together, sum to the difference of two readings, per meter."""

from collections.abc import Callable
from typing import Any

from quintet.access import Access
from quintet.terms.period import Resolution, Span, from_us

Ask = Callable[..., list[tuple[Any, ...]]]

ROLLED_BACK = {
    "alicante_even/hh018-water": 5,
    "alicante_even/hh030-water": 2,
    "alicante_even/hh086-water": 1,
    "latrobe/W5-water": 25,
}
"""Meters whose register was set back, and how often."""

READ = """read as (
    select p.name, p.at_us, (p.atto * num) // (den * 1000000000000000000::hugeint) as said,
        cadence_min * 60000000 as step_us
    from published p join meter m using (name) where value_kind = 'register_cumulative')"""
"""Every published register reading in whole sub-units: its exact decimal, rounded down."""


def test_registers_account_for_their_difference_exactly(ask: Ask) -> None:
    rows = ask(
        f"""with {READ}, ends as (
            select name, arg_max(said, at_us) - arg_min(said, at_us) as said from read group by name)
        select name, said::bigint, (select sum(value)::bigint from series s where s.name = e.name) from ends e"""
    )
    assert len(rows) == 46 + 2 + 2 + 1
    wrong = {name: (said, stored) for name, said, stored in rows if said != stored}
    # A register that was set back has no such difference; every other one has it to the last sub-unit.
    assert set(wrong) == set(ROLLED_BACK)
    assert all(stored > said for said, stored in wrong.values())


def test_a_register_that_was_set_back_is_exact_stretch_by_stretch(ask: Ask) -> None:
    """Between two named rollbacks the sum is the difference of the stretch's ends; nothing is claimed across one."""
    rows = ask(
        f"""with {READ}, back as (select name, at_us from finding where rule = 'rollback'),
        kept as (
            select r.*, (select count(*) from back b where b.name = r.name and b.at_us <= r.at_us) as stretch
            from read r where name in (select name from back)
                and not exists (select 1 from finding f where f.name = r.name and f.at_us = r.at_us
                    and f.rule in ('excursion', 'momentary_zero'))),
        ends as (
            select name, stretch, arg_max(said, at_us) - arg_min(said, at_us) as said from kept group by all)
        select name, max(stretch), sum(said)::bigint,
            (select sum(value)::bigint from series s where s.name = e.name) from ends e group by name"""
    )
    assert {name: stretches for name, stretches, _, _ in rows} == ROLLED_BACK
    assert [name for name, _, said, stored in rows if said != stored] == []


def test_every_fall_of_a_register_is_named_and_every_rollback_is_a_fall(ask: Ask) -> None:
    falls = f"""with {READ}, falls as (
        select name, at_us, step_us from read
        qualify said < lag(said) over (partition by name order by at_us))"""
    total, named = ask(
        f"""{falls} select count(*), count(*) filter (exists (select 1 from finding f where f.name = falls.name
            and f.rule in ('excursion', 'rollback', 'momentary_zero') and abs(f.at_us - falls.at_us) <= 4 * step_us))
        from falls"""
    )[0]
    assert (total, named) == (222 + 25, 222 + 25)
    fell = ask(
        f"""{falls} select f.name, count(*) from finding f join falls using (name, at_us) where rule = 'rollback'
        group by 1"""
    )
    assert dict(fell) == ROLLED_BACK


def test_no_register_runs_backwards_and_none_spikes(ask: Ask) -> None:
    rows = ask(
        """select name, min(value), max(value) from series join meter using (name)
            where value_kind = 'register_cumulative' group by name having min(value) < 0"""
    )
    assert rows == []


def test_of_a_register_only_what_it_skipped_is_estimated(ask: Ask) -> None:
    """An estimate stands where two readings lie more than two cadences apart, or where the register was set back."""
    rows = ask(
        f"""with {READ}, gap as (
            select name, at_us as from_us, lead(at_us) over (partition by name order by at_us) as until_us, step_us
            from read),
        outside as (
            select s.name, s.start_us from series s join meter m using (name)
            left join gap g on g.name = s.name and s.start_us >= g.from_us
                and s.start_us + g.step_us <= g.until_us and g.until_us - g.from_us > 2 * g.step_us
            where value_kind = 'register_cumulative' and kind = 'estimated' and g.name is null)
        select name, count(*) from outside where name not in (select name from finding
            where rule in ('rollback', 'excursion', 'momentary_zero')) group by name"""
    )
    assert rows == []
    measured = ask(
        f"""with {READ}, gap as (
            select name, at_us as from_us, lead(at_us) over (partition by name order by at_us) as until_us, step_us
            from read)
        select s.name, count(*) from series s join gap g on g.name = s.name and s.start_us >= g.from_us
            and s.start_us + g.step_us <= g.until_us and g.until_us - g.from_us > 2 * g.step_us
        where s.kind <> 'estimated' group by s.name"""
    )
    assert measured == []


def test_the_read_path_gives_the_same_differences_by_day(ask: Ask, read_plain: Access) -> None:
    """What people are shown by day adds up to the register too, estimates named by their share."""
    for name in ("alicante_even/hh068-water", "alicante_even/hh050-water", "aalborg_a/m660-energy_heat_kwh"):
        first, last, said = ask(
            f"""with {READ} select min(at_us), max(at_us), arg_max(said, at_us) - arg_min(said, at_us) from read
                where name = ?""",
            [name],
        )[0]
        day = 86_400_000_000
        span = Span(from_us(first // day * day), from_us(-(-last // day) * day))
        rows = read_plain.series(name, span, Resolution.DAY).to_pylist()
        assert sum(int(row["value"]) for row in rows if row["value"] is not None) == said
        shares = [row["estimated_share"] for row in rows if row["estimated_share"] is not None]
        assert (max(shares) == 1.0) == name.endswith("hh068-water")
