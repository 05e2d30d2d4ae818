"""Measured meters of a real city, with all their faults, against plain sums made without the derivation."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from fractions import Fraction
from pathlib import Path
from zoneinfo import ZoneInfo

import duckdb
import numpy as np
import pytest

from quintet.pipeline.derive import Channels, Derived, Evidence, derive
from quintet.terms.amount import decimals_of
from quintet.terms.reading import ValueKind
from quintet.terms.unit import units

MINUTE_US = 60_000_000
KINDS = list(ValueKind)


@dataclass
class Real:
    """One measured meter: what was read (sorted, the lower one of a conflict), what it means, what was derived."""

    at_us: list[int]
    value: list[float]
    tz: ZoneInfo
    ratio: Fraction
    derived: Derived

    @property
    def rules(self) -> Counter[str]:
        return Counter(self.derived.findings.rule.tolist())

    def sub_units(self, row: int) -> int:
        """Give a register reading in whole sub-units, from the decimal that is printed."""
        return (Fraction(repr(self.value[row])) * self.ratio).__floor__()

    def accounted(self) -> int:
        return int(self.derived.value.sum()) + int(self.derived.gaps.total.sum())


@pytest.fixture(scope="module")
def city(shared: Path, need: Callable[[Path | str, str], Path]) -> Callable[[str, str], Real]:
    """Give `city(site, meter)`."""
    folder = need(shared / "data" / "city", "the measured city stands beside the checkout")

    def load(site: str, meter: str) -> Real:
        with duckdb.connect() as connection:
            kind, unit, cadence, tz = connection.execute(
                f"select value_kind, unit, cadence_min, tz from '{folder}/meters.parquet' where site = ? and meter = ?",
                [site, meter],
            ).fetchall()[0]
            rows = connection.execute(
                f"""select epoch_us(ts_utc), min(value), count(distinct value) from '{folder}/readings.parquet'
                    where site = ? and meter = ? and ts_utc is not null and value is not null group by 1 order by 1""",
                [site, meter],
            ).fetchall()
        at_us, value, versions = (list(column) for column in zip(*rows, strict=True))
        mantissa, exponent, fine = decimals_of(np.array(value))
        assert fine.all()
        count = len(at_us)
        offset = datetime(2000, 1, 1, tzinfo=ZoneInfo(tz)).utcoffset()
        assert offset is not None
        evidence = Evidence(
            np.zeros(count, np.int32),
            np.array(at_us),
            mantissa,
            exponent,
            np.zeros(count, np.int16),
            np.array(versions) > 1,
        )
        channels = Channels(
            np.array([KINDS.index(ValueKind(kind))], np.uint8),
            np.array([cadence * MINUTE_US]),
            np.array([int(offset.total_seconds()) * 1_000_000 % (cadence * MINUTE_US)]),
            [tz],
            np.array([-1], np.int32),
            None,
            np.array([-1]),
            [units()[unit].ratio],
            [units()[unit].rate],
        )
        return Real(at_us, value, ZoneInfo(tz), units()[unit].ratio, derive(evidence, channels))

    return load


City = Callable[[str, str], Real]


def test_a_register_248520_litres_too_high_in_every_second_read(city: City) -> None:
    real = city("alicante_even", "hh050-water")
    assert real.rules["excursion"] == 5
    assert real.rules["rollback"] == 0
    assert real.accounted() == real.sub_units(-1) - real.sub_units(0) == 100_271_000
    assert int(real.derived.value.max()) < 2_000_000
    assert int(real.derived.value.min()) == 0


@pytest.mark.parametrize(("meter", "dropped"), [("hh008-water", 35), ("hh014-water", 3), ("hh024-water", 1)])
def test_stale_and_stray_readings_are_dropped_one_by_one(city: City, meter: str, dropped: int) -> None:
    real = city("alicante_even", meter)
    falls = sum(1 for before, after in zip(real.value, real.value[1:], strict=False) if after < before)
    assert real.rules["excursion"] == falls == dropped
    assert real.accounted() == real.sub_units(-1) - real.sub_units(0)
    assert bool(real.derived.gaps.has_total.all())


def test_a_register_that_trembles_by_a_litre_is_never_negative(city: City) -> None:
    real = city("alicante_even", "hh018-water")
    falls = sum(1 for before, after in zip(real.value, real.value[1:], strict=False) if after < before)
    assert falls > 150
    assert int(real.derived.value.min()) >= 0
    assert real.rules["rollback"] == 5
    surplus = real.accounted() - (real.sub_units(-1) - real.sub_units(0))
    assert 0 < surplus <= 5 * 5_000


@pytest.mark.parametrize("meter", ["hh000-water", "hh052-water", "hh062-water", "hh074-water", "hh090-water"])
def test_irregular_registers_account_for_every_litre(city: City, meter: str) -> None:
    real = city("alicante_even", meter)
    assert real.accounted() == real.sub_units(-1) - real.sub_units(0)
    gaps = real.derived.gaps
    longest = max(after - before for before, after in zip(real.at_us, real.at_us[1:], strict=False))
    assert int(gaps.slots.max()) in range(longest // 3_600_000_000 - 1, longest // 3_600_000_000 + 1)


def test_a_register_whose_rows_were_misdated_shows_each_setback(city: City) -> None:
    real = city("latrobe", "W5-water")
    falls = sum(1 for before, after in zip(real.value, real.value[1:], strict=False) if after < before)
    assert real.rules["rollback"] == falls == 25
    assert int((~real.derived.gaps.has_total).sum()) == 25
    rises = sum(
        real.sub_units(row) - real.sub_units(row - 1)
        for row in range(1, len(real.value))
        if real.value[row] > real.value[row - 1]
    )
    assert real.accounted() == rises


@pytest.mark.parametrize(("meter", "standstills", "unseen"), [("GDC-water", 9, 4), ("JCD-water", 11, 4)])
def test_daily_counters_give_each_days_closing_row(city: City, meter: str, standstills: int, unseen: int) -> None:
    real = city("ut_austin_a", meter)
    days: dict[str, list[int]] = {}
    for row, at in enumerate(real.at_us):
        local = datetime.fromtimestamp((at - 1) // 1_000_000, UTC).astimezone(real.tz)
        days.setdefault(local.date().isoformat(), []).append(row)
    sums: Counter[str] = Counter()
    for start, value in zip(real.derived.start_us.tolist(), real.derived.value.tolist(), strict=True):
        sums[datetime.fromtimestamp(start // 1_000_000, UTC).astimezone(real.tz).date().isoformat()] += value
    doubted = {
        datetime.fromtimestamp((at - 1) // 1_000_000, UTC).astimezone(real.tz).date().isoformat()
        for at in [*real.derived.findings.at_us.tolist(), *real.derived.gaps.start_us.tolist()]
    }
    sound = [day for day in days if day not in doubted and len(days[day]) >= 92]
    assert len(sound) > 700
    assert [sums[day] for day in sound] == [real.sub_units(days[day][-1]) for day in sound]
    assert real.rules["reset_unseen"] == unseen
    assert real.rules["reset_missed"] == 2
    assert real.rules["rollback"] == real.rules["reset_early"] == 0
    crossing = [
        row
        for day in list(days.values())[1:]
        for row in day[:1]
        if real.value[row] == real.value[row - 1] and real.value[row] > 0
    ]
    assert len(crossing) == standstills
    assert {real.at_us[row] for row in crossing} <= set(real.derived.findings.at_us.tolist())
    assert int(real.derived.value.min()) >= 0


@pytest.mark.parametrize("meter", ["house1-B1E", "house1-main", "house1-fridge"])
def test_watts_by_the_minute_sum_exactly(city: City, meter: str) -> None:
    real = city("burnaby_y2", meter)
    exact = np.cumsum([int(value) for value in real.value]) * 1000
    assert [float(int(value)) for value in real.value] == real.value
    assert real.derived.start_us.tolist() == real.at_us
    assert np.cumsum(real.derived.value).tolist() == (exact // 60).tolist()
    assert real.derived.carry.get(0, 0) == Fraction(int(exact[-1]), 60) % 1


@pytest.mark.parametrize("meter", ["house1-WHW", "house1-FRG"])
def test_registers_by_the_minute_are_differences(city: City, meter: str) -> None:
    real = city("burnaby_y2", meter)
    registers = [real.sub_units(row) for row in range(len(real.value))]
    assert real.derived.value.tolist() == np.diff(registers).tolist()
    assert not len(real.derived.findings.rule)
