"""Order never matters, and what was said before adds nothing: the content hash tells."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import duckdb
import pytest

SOME = """meter in ('m660-energy_heat_kwh', 'hh018-water', 'hh050-water', 'hh068-water', 'hh078-shower_hw', 'cust12-GC',
    'house1-main', 'house1-fridge', 'b0-gas', 'b10-electricity', 'home15-pv', 'home15-elec', 'campus-gas', 'W5-water',
    'NMI5-elec', 'campus-SDGE_Import', 'CUP_PV-pv', 'GDC-water', 'JCD-water', 'JCD-electricity', 'JCD-heat')"""
"""Some meters of every site, those with the worst faults among them."""


def copy_of(measured: Path, folder: Path, where: str, order: str) -> Path:
    """Write some of the measured rows as a dataset, in another order."""
    folder.mkdir()
    with duckdb.connect() as connection:
        connection.execute("set timezone = 'UTC'")
        connection.execute("set preserve_insertion_order = true")
        for name, sorting in (("meters", "order by hash(site || meter)"), ("readings", order)):
            connection.execute(
                f"""copy (select * from '{measured}/{name}.parquet' where {where} {sorting})
                    to '{folder}/{name}.parquet' (format parquet)"""
            )
    return folder


def test_rows_shuffled_or_sent_twice_give_the_same_hash(
    tmp_path: Path, measured: Path, city_of: Callable[..., Any]
) -> None:
    """Once in order and then again, and once mixed: one content. Channels are numbered otherwise; names decide."""
    orders = (("sorted", "order by site, meter, ts_utc", 1), ("mixed", "order by hash(ts_utc, meter, value)", 2))
    facts = []
    for name, order, times in orders:
        source = copy_of(measured, tmp_path / name, SOME, order)
        (tmp_path / f"{name}-city").mkdir()
        facts.append(city_of(tmp_path / f"{name}-city", source, times=times, hashed=True))
    first, second = facts
    assert first["receipt"] == second["receipt"]
    assert first["receipt"]["accepted"] > 400_000
    assert second["again"]["accepted"] == 0
    assert second["again"]["duplicate"] == first["receipt"]["accepted"] + first["receipt"]["duplicate"]
    assert first["hash"] == second["hash"]


def test_the_hash_does_tell_one_changed_reading(tmp_path: Path, measured: Path, city_of: Callable[..., Any]) -> None:
    """The guard of the guard: one litre more in one reading of a whole year is another city."""
    hashes = set()
    for name, change in (("as-is", 0), ("changed", 1)):
        source = copy_of(measured, tmp_path / name, "meter = 'hh050-water'", "order by ts_utc")
        with duckdb.connect() as connection:
            connection.execute(
                f"""copy (select * replace (value + case when row_number() over (order by ts_utc) = 5000
                        then {change} else 0 end as value) from '{source}/readings.parquet')
                    to '{source}/readings2.parquet' (format parquet)"""
            )
        (source / "readings.parquet").unlink()
        (tmp_path / f"{name}-city").mkdir()
        hashes.add(city_of(tmp_path / f"{name}-city", source, hashed=True)["hash"])
    assert len(hashes) == 2


@pytest.mark.soak
@pytest.mark.skipif(int(os.environ.get("QUINTET_KILLS", "0")) < 1000, reason="make soak: all 6.8 million rows again")
def test_the_whole_dataset_shuffled_gives_the_same_hash(
    tmp_path: Path, measured: Path, facts: dict[str, Any], plain_hash: str, city_of: Callable[..., Any]
) -> None:
    source = copy_of(measured, tmp_path / "source", "true", "order by hash(ts_utc, site, meter, value)")
    shuffled = city_of(tmp_path, source, hashed=True)
    assert shuffled["receipt"] == facts["receipt"]
    assert shuffled["hash"] == plain_hash
