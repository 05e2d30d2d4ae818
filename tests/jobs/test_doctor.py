"""The doctor: silent about a sound city, and each thing that is wrong is named with what to do."""

from collections.abc import Callable
from datetime import date, datetime
from random import Random
from typing import Any

import pytest

from quintet.jobs.closing import close_days
from quintet.jobs.doctor import Examination, examine
from quintet.store.schema import VERSIONS
from quintet.terms.period import day_number

from .conftest import City, history, march, us

THIRD = march(3)
FIRST = day_number(date(2025, 3, 1))


def look(city: City, *, scrub_all: bool = True) -> Examination:
    return examine(city.engine, city.pipeline.registry(), scrub_all=scrub_all)


def close(city: City, now: datetime = THIRD) -> None:
    close_days(city.engine, city.pipeline.registry(), None, us(now))


def change(city: City, sql: str) -> None:
    with city.engine.writing("test", "test", "test", city.tick()) as writing:
        writing.execute(sql)


def test_a_sound_city_has_no_findings(city: City) -> None:
    assert look(city).findings == []
    close(city)
    assert look(city).findings == []
    city.send([("a", march(1, 5), 99.0), ("b", march(3, 30), 2.0)])
    assert look(city).findings == []
    close(city, march(9))
    assert look(city).findings == []


def test_an_empty_city_has_no_findings(new_city: Callable[..., City]) -> None:
    found = look(new_city())
    assert found.findings == []
    assert found.facts == {
        "batches": 0, "raw_rows": 0, "interval_versions": 0, "closed_days": 0, "lake_bytes": 0, "quarantined": 0,
        "schema_version": len(VERSIONS), "content_hash": "0" * 16,
    }  # fmt: skip


@pytest.mark.parametrize("lake", ["intervals", "raw"])
def test_a_damaged_file_is_named_with_its_remedy(city: City, lake: str) -> None:
    close(city)
    path, dice = city.lake_file(lake), Random(4)
    whole = path.read_bytes()
    for _ in range(5):
        harmed = bytearray(whole)
        harmed[dice.randrange(len(whole))] ^= 1 << dice.randrange(8)
        path.write_bytes(harmed)
        found = look(city)
        (finding,) = found.findings
        assert (finding.code, finding.place, finding.severity) == ("damaged", str(path), "error")
        assert "digest" in finding.message
        assert "backup" in finding.remedy
        assert found.facts["content_hash"] is None, "what is damaged has no content to speak of"
    path.write_bytes(whole)
    assert look(city).findings == []


def test_a_missing_file_is_named(city: City) -> None:
    close(city)
    city.lake_file().unlink()
    assert [finding.message for finding in look(city).findings] == ["is missing from the lake."]


def test_damage_that_was_not_looked_for_is_no_traceback(city: City) -> None:
    """Without the scrub the doctor still reads the lake: a damaged file is a finding there too."""
    close(city)
    city.reopen()
    path = city.lake_file()
    path.write_bytes(path.read_bytes()[:-9])
    found = look(city, scrub_all=False)
    assert [(finding.code, finding.place) for finding in found.findings] == [("damaged", str(path))]


def test_a_city_whose_newest_days_are_damaged_opens_so_that_the_doctor_can_name_it(city: City) -> None:
    close(city, march(9))
    path = city.lake_file()
    path.write_bytes(path.read_bytes()[:-9])
    city.reopen()
    assert [(finding.code, finding.place) for finding in look(city).findings] == [("damaged", str(path))]


@pytest.mark.parametrize("column", ["value", "arrived", "estimated"])
def test_a_wrong_rollup_is_found(city: City, column: str) -> None:
    close(city)
    for day in (FIRST, FIRST + 2):
        change(city, f"update rollup_day set {column} = {column} + 1 where day = {day} and channel = 1")
    found = look(city).findings
    assert [(f.code, f.place, f.severity) for f in found] == [
        ("rollup", "2025-03-01", "error"),
        ("rollup", "2025-03-03", "error"),
        ("rollup", "2025-03", "error"),
    ]
    assert found[0].message == "daily sums of 1 channels differ from their intervals."
    assert "quintet backup restore" in found[0].remedy


def test_a_rollup_that_is_missing_and_one_without_intervals_are_found(city: City) -> None:
    change(city, f"delete from rollup_day where day = {FIRST + 1} and channel = 2")
    change(city, f"insert into rollup_day values (1, {FIRST + 9}, 5, 1, 0, 1)")
    assert [(f.code, f.place) for f in look(city).findings] == [("rollup", "2025-03-02"), ("rollup", "2025-03-10")]


def test_a_day_whose_rollups_are_all_missing_is_found(city: City) -> None:
    change(city, f"delete from rollup_day where day = {FIRST + 2}")
    assert [(f.code, f.place) for f in look(city).findings] == [("rollup", "2025-03-03")]


def test_an_interval_that_no_rollup_knows_is_found(city: City) -> None:
    change(city, f"insert into interval values (1, {us(march(2, 3))}, 12345, 1, 99)")
    assert [(f.code, f.place) for f in look(city).findings] == [("rollup", "2025-03-02")]


def test_a_wrong_hourly_rollup_of_an_open_day_is_found(city: City) -> None:
    change(city, f"update rollup_hour set value = value + 1 where hour_us = {us(march(2, 3))} and channel = 1")
    assert [(f.code, f.severity) for f in look(city).findings] == [("rollup", "error")]


def test_a_wrong_hourly_sum_of_a_closed_day_is_found(city: City) -> None:
    close(city)
    change(city, f"update flow_hour set value = value + 1 where hour_us = {us(march(1, 3))}")
    assert [f.severity for f in look(city).findings] == ["error"]


def test_quarantine_is_counted_by_reason(city: City) -> None:
    city.send([("a", march(1, 7, 1), float("nan")), ("a", march(1, 7, 2), float("nan")), ("zz", march(1), 1.0)])
    found = {f.place: f for f in look(city).findings}
    assert set(found) == {"no_value", "unregistered_meter"}
    assert found["no_value"].message.startswith("2 rows are set aside")
    assert found["unregistered_meter"].message.startswith("1 rows are set aside: Meter s/zz")
    assert {f.severity for f in found.values()} == {"warning"}
    assert look(city).facts["quarantined"] == 3


def test_what_names_nothing_is_dangling(city: City) -> None:
    plant = {"id": "pv", "kind": "solar", "place": "city", "outputs": ["s/roof"]}
    settings: dict[str, Any] = {"city": {"name_en": "T", "name_ko": "시", "timezone": "UTC"}, "plant": [plant]}
    city.pipeline.describe(settings, source="city.toml", actor="test")
    (finding,) = look(city).findings
    assert (finding.code, finding.severity) == ("dangling", "warning")
    assert "s/roof" in finding.message


def test_facts_are_counted_across_hot_tables_and_lake(city: City) -> None:
    def counts() -> dict[str, Any]:
        found = look(city).facts
        return {name: found[name] for name in ("raw_rows", "interval_versions", "closed_days", "quarantined")}

    opened = counts()
    assert opened == {"raw_rows": 144, "interval_versions": 144, "closed_days": 0, "quarantined": 0}
    before = look(city).facts["content_hash"]
    close(city)
    assert counts() == {**opened, "closed_days": 2}
    assert look(city).facts["content_hash"] == before
    on_disk = sum(path.stat().st_size for path in (city.folder / "lake").rglob("*.parquet"))
    assert look(city).facts["lake_bytes"] == on_disk
    city.send([("a", march(1, 5), 99.0)])
    assert counts()["raw_rows"] == 145
    assert look(city).facts["content_hash"] != before


def test_the_content_hash_knows_no_order(new_city: Callable[..., City]) -> None:
    rows = history("a", 2) + history("b", 2)
    hashes = set()
    for seed in range(3):
        city, shuffled = new_city(), list(rows)
        city.register(*(("a", "b") if seed else ("b", "a")))
        Random(seed).shuffle(shuffled)
        for part in range(seed + 1):
            city.send(shuffled[part :: seed + 1])
            if seed == 2:
                close(city, march(9))
        hashes.add(look(city).facts["content_hash"])
        assert city.send(rows).accepted == 0
        assert look(city).facts["content_hash"] in hashes
    assert len(hashes) == 1
    assert hashes != {"0" * 16}
