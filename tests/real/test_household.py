"""The measured homes: one at a minute with three utilities, one at half an hour with its own sun."""

from collections.abc import Callable, Generator
from fractions import Fraction
from pathlib import Path
from typing import Any

import duckdb
import pytest

Ask = Callable[..., list[tuple[Any, ...]]]


@pytest.fixture(scope="module")
def homes(household: Path, city_of: Callable[..., Any], tmp_path_factory: pytest.TempPathFactory) -> Generator[Ask]:
    """Give SQL over the homes: `published` as it stands in the file, `effective` as the city answers."""
    folder = tmp_path_factory.mktemp("homes")
    facts = city_of(folder, household)
    assert facts["receipt"]["accepted"] == sum(facts["receipt"].values()) == 105_696
    with duckdb.connect() as connection:
        connection.execute(f"""create table published as
            select site || '/' || meter as name, epoch_us(ts_utc) as at_us,
                cast(cast(value as varchar) as decimal(38, 18)) as value from '{household}/readings.parquet'""")
        connection.execute(f"create table effective as select * from '{folder}/effective.parquet'")
        yield lambda query, parameters=(): connection.execute(query, list(parameters)).fetchall()


@pytest.mark.parametrize(
    ("name", "per_unit"),
    [
        *((f"burnaby_y2/house1-{meter}", Fraction(1000, 60)) for meter in
          ("main", "basement", "dish_washer", "fridge", "heat_pump")),
        ("ausgrid_c12/cust12-GC", Fraction(500_000)),
        ("ausgrid_c12/cust12-GG", Fraction(500_000)),
    ],
)  # fmt: skip
def test_mean_powers_sum_exactly_whatever_their_remainders(homes: Ask, name: str, per_unit: Fraction) -> None:
    """A watt over a minute is 16 2/3 mWh: no running sum is off by a whole mWh."""
    rows = homes(
        """select p.value, s.value, s.kind from published p left join effective s
            on s.name = p.name and s.start_us = p.at_us where p.name = ? order by p.at_us""",
        [name],
    )
    said, stored = Fraction(0), 0
    for value, amount, kind in rows:
        assert kind == "measured"
        said += Fraction(value) * per_unit
        stored += amount
        assert 0 <= said - stored < 1
    assert len(rows) in {10_080, 17_568}
    assert stored == said.__floor__()


@pytest.mark.parametrize("meter", ["WHW", "FRG"])
def test_registers_by_the_minute_are_their_differences(homes: Ask, meter: str) -> None:
    rows = homes(
        """select (floor(p.value * 1000) - floor(lag(p.value) over (order by p.at_us) * 1000))::bigint, s.value
            from published p left join effective s on s.name = p.name and s.start_us + 60000000 = p.at_us
            where p.name = ? order by p.at_us""",
        [f"burnaby_y2/house1-{meter}"],
    )
    assert len(rows) == 10_080
    assert [said for said, _ in rows[1:]] == [stored for _, stored in rows[1:]]
    assert sum(said for said, _ in rows[1:]) > 0
