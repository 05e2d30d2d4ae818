"""The verdicts of docs/vee.md on the measured city's traps: each figure that stands there is computed here.

Plain SQL over what was published says what the series hold; Quintet's own words come from its store.
"""

from collections.abc import Callable
from datetime import datetime
from itertools import pairwise
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from quintet.terms.quality import qualities
from quintet.vee import Block, Traits, rules
from quintet.vee.period import judge_period

Ask = Callable[..., list[tuple[Any, ...]]]
HOUR_US = 3_600_000_000
ZERO_DAYS = """zero as (
    select name, at_us // 86400000000 as day from published join meter using (name)
    where site = 'cambridge_even' and commodity = '{commodity}'
    group by all having count(*) = 24 and bool_and(value = 0))"""


@pytest.fixture(scope="module")
def longer(ask: Ask) -> Callable[[str, str], dict[str, list[tuple[int, int]]]]:
    """Give `longer(name, commodity)`: what the rules that need a period say of an hourly channel, by rule (us, us)."""

    def judge(name: str, commodity: str) -> dict[str, list[tuple[int, int]]]:
        rows = ask("select start_us, value, quality from series where name = ? order by 1", [name])
        start, ids = rows[0][0], {code: row.id for code, row in qualities().items()}
        count = (rows[-1][0] - start) // HOUR_US + 1
        value, quality = np.zeros((1, count), np.int64), np.zeros((1, count), np.uint8)
        for at_us, amount, code in rows:
            value[0, (at_us - start) // HOUR_US], quality[0, (at_us - start) // HOUR_US] = amount, ids[code]
        channels = np.zeros(1, np.int32)
        block = Block.of(start, HOUR_US, channels, (value, quality, quality > 0), ZoneInfo("UTC"))
        quantity = "energy" if commodity in ("electricity", "gas") else "volume"
        traits = Traits.of([commodity], ["consumption"], [quantity], np.full(1, -1), ["interval_sum"])
        found, table = judge_period(block, traits, rules()), rules()
        out: dict[str, list[tuple[int, int]]] = {}
        for first, last, rule in zip(found.column_first, found.column_last, found.rule, strict=True):
            span = (start + int(first) * HOUR_US, start + (int(last) + 1) * HOUR_US)
            out.setdefault(table.rules[rule].id, []).append(span)
        return out

    return judge


def test_cambridge_electricity_never_stands_still_so_its_zero_days_are_missing(ask: Ask, longer: Any) -> None:
    """463 whole days of zeros in 26 of 55 meters, 428 of them from November to March; 44 runs."""
    rows = ask(
        f"""with {ZERO_DAYS.format(commodity="electricity")} select count(*), count(distinct name),
            count(*) filter (month(make_timestamp(day * 86400000000)) in (11, 12, 1, 2, 3)) from zero"""
    )
    assert rows == [(463, 26, 428)]
    names = ask(f"with {ZERO_DAYS.format(commodity='electricity')} select distinct name from zero order by 1")
    hours = flagged = named = 0
    for (name,) in names:
        spans = longer(name, "electricity").get("Z01", [])
        zero = ask(
            """select at_us, exists (select 1 from finding f where f.name = p.name and f.rule = 'V10'
                    and f.at_us <= p.at_us and p.at_us < f.until_us) from published p where name = ? and value = 0""",
            [name],
        )
        hours += len(zero)
        flagged += sum(whole_day for _, whole_day in zero)
        named += sum(whole_day or any(first <= at < end for first, end in spans) for at, whole_day in zero)
    # Whole days are flagged as they come; of the rest, Z01 names what is longer than ever in the four weeks before.
    assert (hours, flagged) == (13_618, 11_112)
    assert named == 12_556


def test_cambridge_gas_stands_still_in_summer_and_is_missing_in_the_cold(ask: Ask, measured: Path) -> None:
    """The publisher's weather tells them apart: the same zero is a shutdown at 14 degrees and a hole below 8."""
    rows = ask(
        f"""with {ZERO_DAYS.format(commodity="gas")},
        weather as (select epoch_us(ts_utc) // 86400000000 as day, avg(temp_c) as temp_c
            from '{measured}/weather.parquet' where site = 'cambridge_even' group by 1)
        select count(*), count(*) filter (temp_c >= 14), count(*) filter (temp_c < 8)
        from zero join weather using (day)"""
    )
    assert rows == [(6684, 4429, 623)]


def test_alicante_registers_that_leave_their_path_are_named_and_claim_nothing(ask: Ask) -> None:
    rows = ask(
        """select rule, count(*), count(distinct name) from finding
            where name like 'alicante_even/%' and rule in ('excursion', 'rollback') group by 1 order by 1"""
    )
    assert rows == [("excursion", 246, 13), ("rollback", 8, 3)]
    # The most that any of 92 homes used in an hour, after jumps of 248,520 L: 752 L.
    assert ask("select max(value) from series where name like 'alicante_even/%-water'") == [(751_932,)]


def test_la_trobe_water_has_day_and_month_exchanged(ask: Ask) -> None:
    """25 rollbacks, none of them the meter's: with day and month put back the register never falls and never jumps."""
    rows = ask("select at_us, value from published where name = 'latrobe/W5-water' order by 1")
    assert sum(late[1] < early[1] for early, late in pairwise(rows)) == 25

    def put_back(at_us: int) -> datetime:
        local = datetime.fromtimestamp(at_us / 1e6, ZoneInfo("Australia/Melbourne"))
        return local.replace(month=local.day, day=local.month) if local.day <= 12 else local

    ordered = sorted((put_back(at_us), value) for at_us, value in rows)
    steps = [late[1] - early[1] for early, late in pairwise(ordered)]
    assert min(steps) >= 0
    assert float(max(steps)) == pytest.approx(4.26, abs=0.001)
    assert float(sum(steps)) == pytest.approx(168.956, abs=0.001)
    assert max(late[1] - early[1] for early, late in pairwise(rows)) > 42
    # What Quintet says of the exchanged stamps: 25 rollbacks by name, and no claim for the time across each of them.
    assert ask("select count(*) from finding where name = 'latrobe/W5-water' and rule = 'rollback'") == [(25,)]


@pytest.mark.parametrize(("meter", "stale", "not_closed"), [("GDC-water", 553, 4), ("JCD-water", 684, 6)])
def test_ut_austin_counters_that_reset_daily(ask: Ask, meter: str, stale: int, not_closed: int) -> None:
    rows = ask(
        """select rule, count(*) from finding where name = ? and rule in
            ('stale', 'reset_missed', 'reset_unseen', 'day_not_closed', 'rollback') group by 1 order by 1""",
        [f"ut_austin_a/{meter}"],
    )
    assert rows == [("day_not_closed", not_closed), ("reset_missed", 2), ("reset_unseen", 4), ("stale", stale)]
