"""What could not be taken, as an operator meets it: listed, explained, counted, tried again, dismissed."""

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from quintet.app.answer import no_progress
from quintet.app.belongings import mappings_of
from quintet.app.city import City
from quintet.app.making import migrate_city
from quintet.app.metrics import MetricsPart
from quintet.app.owner import claim
from quintet.app.requests import (
    AnyRequest,
    BackupCreate,
    Doctor,
    Ingest,
    QuarantineCount,
    QuarantineDismiss,
    QuarantineDrift,
    QuarantineExplain,
    QuarantineList,
    QuarantineReplay,
    RegistrySync,
)
from quintet.app.run import Desk
from quintet.pipeline.delivery import Delivery, Outcome, Shape
from quintet.protocols.payloads import decode_message, load_mappings
from quintet.store.backup import restore_backup
from quintet.store.originals import limits
from quintet.store.schema import VERSIONS
from quintet.terms.errors import CityError, NotFound, QuintetError, UsageError
from quintet.terms.period import from_us
from quintet.terms.tables import QUARANTINE, READINGS

METERS = """site,building,premise,meter,commodity,unit,value_kind,cadence_min,tz,role
c1,b,1,power,electricity,kWh,interval_sum,60,UTC,consumption
"""
MORE = METERS + "c1,b,1,new,electricity,kWh,interval_sum,60,UTC,consumption\n"
ROWS = """site,meter,ts_utc,value
c1,power,2025-02-01T00:00:00Z,1
c1,new,2025-02-01T00:00:00Z,2
c1,new,2025-02-01T01:00:00Z,3
c1,power,2025-02-01 01:00,1
"""


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    """Give a city that took one reading and set three rows aside."""
    City.create(tmp_path / "city", timezone="UTC").close()
    (tmp_path / "meters.csv").write_text(METERS)
    (tmp_path / "readings.csv").write_text(ROWS)
    desk = Desk(tmp_path / "city")
    desk.perform(Ingest([str(tmp_path)]), no_progress)
    yield desk
    desk.close()


def asked(desk: Desk, request: AnyRequest) -> Any:
    return json.loads(desk.perform(request, no_progress).document)


def listed(desk: Desk, **wanted: Any) -> list[tuple[str, str]]:
    rows = asked(desk, QuarantineList(**wanted))["quarantine"]
    return [(row["meter"], row["code"]) for row in rows]


def sync(desk: Desk, tmp_path: Path) -> None:
    (tmp_path / "meters.csv").write_text(MORE)
    asked(desk, RegistrySync(str(tmp_path / "meters.csv")))


def test_rows_are_listed_newest_first_page_by_page(desk: Desk) -> None:
    everything = [("power", "naive_time"), ("new", "unregistered_meter"), ("new", "unregistered_meter")]
    assert sorted(listed(desk)) == sorted(everything)
    seen, before = [], None
    while True:
        page = asked(desk, QuarantineList(limit=2, before=before))
        seen += [row["id"] for row in page["quarantine"]]
        before = page["next"]
        if before is None:
            break
    assert seen == [3, 2, 1]
    assert listed(desk, code="naive_time") == [("power", "naive_time")]
    assert listed(desk, source="elsewhere") == []
    with pytest.raises(UsageError, match="no state"):
        asked(desk, QuarantineList(state="lost"))


def test_a_row_is_explained_with_what_to_do(desk: Desk) -> None:
    row = next(row for row in asked(desk, QuarantineList())["quarantine"] if row["code"] == "unregistered_meter")
    told = asked(desk, QuarantineExplain(row["id"]))
    assert (told["try_again"], told["state"], told["settled"]) == (True, "open", None)
    assert "quarantine replay" in told["remedy"]
    assert json.loads(told["original"])["meter"] == "new"
    with pytest.raises(NotFound):
        asked(desk, QuarantineExplain(99))


def test_a_long_original_is_whole_only_where_it_is_asked_for(desk: Desk) -> None:
    poison = "x" * 5_000_000
    row = {"source": "mqtt:c1", "row": 1, "site": "c1", "meter": None, "code": "bad_body", "reason": "r"}
    refused = pa.Table.from_pylist([{**row, "original": poison}], QUARANTINE)
    deliver(desk, Delivery(READINGS.empty_table(), refused, "mqtt:c1", "mqtt"))
    table = desk.perform(QuarantineList(), no_progress)
    assert len(str(table.rows)) + len(table.document) < 10_000
    assert "(5,000,000 characters)" in str(table.rows)
    (listed_row,) = asked(desk, QuarantineList(source="mqtt:c1"))["quarantine"]
    cut = desk.perform(QuarantineExplain(listed_row["id"]), no_progress)
    assert len(str(cut.rows)) < 10_000
    assert "--original" in cut.notes[0]
    assert json.loads(cut.document)["original"] == poison
    whole = desk.perform(QuarantineExplain(listed_row["id"], original=True), no_progress)
    assert ["original", poison] in [list(one) for one in whole.rows]
    assert not whole.notes


def test_rows_are_counted_and_tried_again(desk: Desk, tmp_path: Path) -> None:
    counted = asked(desk, QuarantineCount())
    assert counted["rows"] == 3
    assert [(row["code"], row["rows"]) for row in counted["quarantine"]] == [
        ("unregistered_meter", 2), ("naive_time", 1),
    ]  # fmt: skip
    sync(desk, tmp_path)
    replayed = asked(desk, QuarantineReplay(actor="kim"))
    assert (replayed["taken"], replayed["kept"], len(replayed["batches"])) == (2, 1, 1)
    assert listed(desk) == [("power", "naive_time")]
    hashed = asked(desk, Doctor())["content_hash"]
    assert asked(desk, QuarantineReplay(actor="kim"))["taken"] == 0
    assert asked(desk, Doctor())["content_hash"] == hashed


def test_rows_are_dismissed_with_a_reason(desk: Desk) -> None:
    with pytest.raises(UsageError, match="no reason"):
        asked(desk, QuarantineDismiss([1], " "))
    assert asked(desk, QuarantineDismiss([1, 2, 2, 77], "a test", "kim"))["dismissed"] == 2
    assert len(listed(desk)) == 1
    assert len(listed(desk, state="dismissed")) == 2
    assert asked(desk, QuarantineExplain(1))["settled_by"] == "kim"


def test_the_quarantine_is_known_as_of_a_moment(desk: Desk) -> None:
    before = from_us(desk.city().now()).isoformat()
    asked(desk, QuarantineDismiss([1, 2], "a test", "kim"))
    assert (len(listed(desk)), len(listed(desk, known_at=before))) == (1, 3)
    assert asked(desk, QuarantineExplain(1, known_at=before))["state"] == "open"
    assert [asked(desk, QuarantineCount(at))["rows"] for at in (None, before, "2020-01-01")] == [1, 3, 0]
    assert asked(desk, QuarantineCount(before))["not_kept"] is None, "no moment is kept with what was only counted"
    deliver(desk, keyed("number"))
    deliver(desk, replace(keyed("text"), key="another"))
    assert len(asked(desk, QuarantineDrift())["changes"]) > len(
        asked(desk, QuarantineDrift(known_at=before))["changes"]
    )
    with pytest.raises(NotFound):
        asked(desk, QuarantineExplain(1, known_at="2020-01-01"))
    with pytest.raises(UsageError, match="future"):
        listed(desk, known_at="2099-01-01")


def deliver(desk: Desk, delivery: Delivery) -> Outcome:
    (outcome,) = desk.city().pipeline.commit_group([delivery])
    assert isinstance(outcome, Outcome)
    return outcome


def keyed(kind: str = "number") -> Delivery:
    row = {"site": "c1", "meter": "power", "at": None, "value": 1.0, "row": 1}
    readings = pa.Table.from_pylist([row], READINGS)
    shapes = frozenset({Shape("value", kind)})
    return Delivery(readings, QUARANTINE.empty_table(), "collector", "http", "key", "digest", shapes)


def test_changes_of_fields_are_listed(desk: Desk) -> None:
    deliver(desk, keyed())
    assert asked(desk, QuarantineDrift())["changes"] == []
    changed = keyed("text")
    deliver(desk, Delivery(changed.readings, changed.refused, "collector", "http", shapes=changed.shapes))
    (change,) = asked(desk, QuarantineDrift())["changes"]
    assert (change["source"], change["change"], change["was"]) == ("collector", "retyped", "number")
    assert asked(desk, QuarantineDrift(source="other"))["changes"] == []


def test_a_message_is_taken_when_the_city_has_a_mapping_or_meter_for_it(desk: Desk, tmp_path: Path) -> None:
    stated = b'{"value": 4, "ts_utc": "2025-02-01T05:00:00Z"}'
    good = decode_message("quintet/v1/c1/new", stated, desk.city().now(), load_mappings())
    bad = decode_message("who/knows", b"{}", desk.city().now(), load_mappings())
    assert (good.readings.num_rows, bad.refused.num_rows) == (1, 1)
    for found in (good, bad):
        deliver(desk, Delivery(found.readings, found.refused, "mqtt:c1", "mqtt"))
    sync(desk, tmp_path)
    done = asked(desk, QuarantineReplay(source="mqtt:c1"))
    assert (done["taken"], done["kept"]) == (1, 1)
    (left,) = asked(desk, QuarantineList(source="mqtt:c1"))["quarantine"]
    assert left["code"] == "unknown_topic"


def test_a_backup_holds_it_all_and_the_content_hash_knows_nothing_of_it(desk: Desk, tmp_path: Path) -> None:
    before = asked(desk, Doctor())
    outcome = deliver(desk, keyed())
    asked(desk, QuarantineDismiss([1], "a test"))
    after = asked(desk, Doctor())
    assert after["content_hash"] == before["content_hash"]
    assert not [one for one in after["findings"] if one["severity"] == "error"]
    (tmp_path / "city" / "mqtt-id").write_text("naju")
    (tmp_path / "city" / "mappings").mkdir()
    (tmp_path / "city" / "mappings" / "ours.toml").write_text("")
    asked(desk, BackupCreate(str(tmp_path / "copy")))
    restore_backup(tmp_path / "copy", tmp_path / "again")
    assert (tmp_path / "again" / "mqtt-id").read_text() == "naju", "its sessions at the broker are found again"
    assert [path.name for path in mappings_of(tmp_path / "again")] == ["ours.toml"]
    twin = Desk(tmp_path / "again")
    try:
        assert listed(twin, state="any") == listed(desk, state="any")
        again = deliver(twin, keyed())
        assert (again.repeated, again.receipt, again.batch) == (True, outcome.receipt, outcome.batch)
    finally:
        twin.close()


def test_a_store_is_taken_back_and_brought_up_again_with_all_readings(desk: Desk, tmp_path: Path) -> None:
    folder = tmp_path / "city"
    deliver(desk, keyed())
    before = asked(desk, Doctor())
    desk.close()
    back = migrate_city(folder, 1)
    assert "Idempotency-Key" in back.notes[0], "it says what is gone,"
    assert "brings it to version" in back.notes[1], "and what would bring it up again"
    taken_back = json.loads(back.document)
    assert taken_back == {"before": len(VERSIONS), "after": 1}
    assert json.loads(migrate_city(folder, 1).document) == {"before": 1, "after": 1}
    up = migrate_city(folder, None)
    assert (json.loads(up.document), up.notes) == ({"before": 1, "after": len(VERSIONS)}, [])
    after = asked(desk, Doctor())
    assert {name: after[name] for name in ("content_hash", "raw_rows", "quarantined", "batches")} == {
        name: before[name] for name in ("content_hash", "raw_rows", "quarantined", "batches")
    }


def test_a_store_is_not_migrated_while_somebody_has_it(tmp_path: Path) -> None:
    City.create(tmp_path / "city", timezone="UTC").close()
    owner = claim(tmp_path / "city", "serve")
    assert owner is not None
    try:
        with pytest.raises(CityError, match="another process"):
            migrate_city(tmp_path / "city", 1)
    finally:
        owner.release()


@pytest.mark.parametrize("target", [0, 99])
def test_only_known_versions_can_be_chosen(tmp_path: Path, target: int) -> None:
    City.create(tmp_path / "city", timezone="UTC").close()
    with pytest.raises(UsageError, match="cannot become"):
        migrate_city(tmp_path / "city", target)
    with pytest.raises(QuintetError, match="is no city"):
        migrate_city(tmp_path, None)
    City.open(tmp_path / "city").close()


def test_rows_that_are_only_counted_are_seen_by_who_looks(desk: Desk) -> None:
    city: Any = desk.city()
    groups = city.pipeline._groups
    groups.room.bounds = replace(limits(), source_day_rows=1)
    row = {"source": "", "row": 1, "site": None, "meter": None, "code": "bad_body", "reason": "r"}
    for number in range(3):
        refused = pa.Table.from_pylist([{**row, "original": str(number)}], QUARANTINE)
        deliver(desk, Delivery(READINGS.empty_table(), refused, "mqtt:c1", "mqtt"))
    counted = asked(desk, QuarantineCount())
    assert counted["not_kept"] == 2
    (mine,) = [row for row in counted["quarantine"] if row["source"] == "mqtt:c1"]
    assert (mine["rows"], mine["not_kept"]) == (1, 2)
    assert [one["place"] for one in asked(desk, Doctor())["findings"] if one["code"] == "quarantine_full"] == [
        "mqtt:c1: bad_body"
    ]
    text = MetricsPart(city.observer).text().decode()
    assert 'quintet_quarantine_not_kept_total{code="bad_body"} 2.0' in text
