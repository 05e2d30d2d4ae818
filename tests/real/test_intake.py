"""The whole measured dataset through the door: every row is taken, known already, or set aside by name."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

Ask = Callable[..., list[tuple[Any, ...]]]
ROWS = 6_781_185
COLD = {"commodity": {"cooling": {"name_en": "cooling", "name_ko": "냉방", "measures": {"energy": "kWh"}}}}


def test_every_row_is_accounted_for(facts: dict[str, Any], measured: Path) -> None:
    receipt = facts["receipt"]
    assert pq.ParquetFile(measured / "readings.parquet").metadata.num_rows == ROWS
    assert sum(receipt.values()) == ROWS
    assert receipt["rejected"] == receipt["skipped"] == 0


def test_accepted_and_duplicate_rows_are_those_of_plain_sql(facts: dict[str, Any], measured: Path, ask: Ask) -> None:
    distinct, rows = ask(
        f"""select count(distinct (site, meter, ts_utc, value)), count(*) from '{measured}/readings.parquet'
            where ts_utc is not null and value is not null and commodity not in ('cooling') and unit <> 'source_unit'"""
    )[0]
    assert facts["receipt"]["accepted"] == distinct
    assert facts["receipt"]["duplicate"] == rows - distinct == 1454


def test_the_quarantine_names_every_row_it_holds(ask: Ask, measured: Path) -> None:
    found = {
        (code, site, meter): count
        for code, site, meter, count in ask(
            "select code, site, meter, count(*) from quarantine where source like '%readings.parquet' group by all"
        )
    }
    no_time = sum(count for (code, _, _), count in found.items() if code == "no_time")
    no_value = {meter: count for (code, _, meter), count in found.items() if code == "no_value"}
    assert no_time == 16
    assert no_value == {"W5-water": 82}
    expected = {
        (word, site, meter): count
        for word, site, meter, count in ask(
            f"""select case commodity when 'cooling' then 'unknown_commodity' else 'unknown_unit' end, site, meter,
                    count(*) from '{measured}/readings.parquet'
                where (commodity = 'cooling' or unit = 'source_unit') and ts_utc is not null and value is not null
                group by all"""
        )
    }
    assert {key: count for key, count in found.items() if key[0].startswith("unknown")} == expected
    assert {meter for _, _, meter in expected} == {"GDC-heat", "JCD-heat", "GDC-cooling", "JCD-cooling"}
    reasons = [row[0] for row in ask("select distinct reason from quarantine where code like 'unknown%'")]
    assert any("source_unit" in reason for reason in reasons)
    assert any("cooling" in reason for reason in reasons)
    # Each points at its row in the file: the row there is the one that is meant.
    wrong = ask(
        f"""select q.row from quarantine q join (select file_row_number + 1 as row, site, meter
                from read_parquet('{measured}/readings.parquet', file_row_number = true)) r using (row)
            where q.source like '%readings.parquet' and (r.site, r.meter) <> (q.site, q.meter)"""
    )
    assert wrong == []


def test_the_folder_a_second_time_adds_nothing(facts: dict[str, Any], ask: Ask) -> None:
    again = facts["again"]
    assert again["accepted"] == again["rejected"] == 0
    assert again["duplicate"] == facts["receipt"]["accepted"] + facts["receipt"]["duplicate"]
    # No interval has a version of the second ingest (one batch is readings, one weather), and no row stands in
    # quarantine twice.
    assert len(ask("select distinct batch from effective")) == 2
    assert ask("select count(*) from quarantine where source like '%readings.parquet'") == [
        (facts["receipt"]["quarantined"],)
    ]


def test_cooling_is_taken_once_the_city_adds_its_row(
    tmp_path: Path, measured: Path, ask: Ask, city_of: Callable[..., Any]
) -> None:
    source = tmp_path / "austin"
    source.mkdir()
    for name in ("meters", "readings"):
        ask(
            f"""copy (select * from '{measured}/{name}.parquet' where site = 'ut_austin_a')
                to '{source}/{name}.parquet' (format parquet)"""
        )
    facts = city_of(tmp_path, source, None, COLD)
    refused = ask(f"select code, meter, count(*) from '{tmp_path}/quarantine.parquet' group by all")
    assert {meter for code, meter, _ in refused if code.startswith("unknown")} == {"GDC-heat", "JCD-heat"}
    assert sum(facts["receipt"].values()) == 17_505 * 3 + 140_162
    # 1 ton hour is 12,000 Btu of 1055.05585262 J; what is no whole mWh goes to the next hour.
    for meter in ("GDC-cooling", "JCD-cooling"):
        said = ask(
            f"""select sum(value), min(kind) from '{tmp_path}/effective.parquet'
                where name = 'ut_austin_a/{meter}' and kind = 'measured'"""
        )[0][0]
        tenths = ask(
            f"""select sum(cast(cast(value as varchar) as decimal(38, 6)) * 1000000)::hugeint
                from '{measured}/readings.parquet' where meter = '{meter}' and ts_utc is not null"""
        )[0][0]
        assert int(said) == int(tenths) * 1_266_067_023_144 // (360_000 * 1_000_000)
