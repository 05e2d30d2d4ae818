"""Edits, events, the audit chain and differences as commands, docs/editing.md as it stands among them."""

import json
import re
import shlex
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cyclopts import CycloptsError

from quintet.app.answer import no_progress
from quintet.app.city import City
from quintet.app.cli import COMMANDS, build
from quintet.app.edit_values import read_values, sub_units
from quintet.app.requests import (
    AnyRequest,
    AuditList,
    AuditVerify,
    Balance,
    Diff,
    EditList,
    EditMake,
    EditUndo,
    EventAdd,
    EventList,
    EventWithdraw,
    Ingest,
    MetersList,
    MetersShow,
    RegistryList,
    RegistryRewire,
)
from quintet.app.run import Desk
from quintet.terms.errors import BadInput, NotFound, QuintetError, UsageError
from quintet.terms.unit import units

METERS = """site,building,premise,meter,commodity,unit,value_kind,cadence_min,tz,role
c1,b,1,power,electricity,kWh,interval_sum,60,Asia/Seoul,consumption
c1,b,2,other,electricity,kWh,interval_sum,60,Asia/Seoul,consumption
c2,d,3,water,water,m3,interval_sum,60,Asia/Seoul,consumption
"""
START = datetime(2025, 9, 30, 15, tzinfo=UTC)
"""Midnight of 1 October in Seoul."""
MISSING: dict[str, Sequence[int]] = {"c1/power": range(100, 106), "c1/other": [110], "c2/water": []}
BLOCK = re.compile(r"^```sh\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def readings(path: Path, rows: list[tuple[str, int, float]]) -> str:
    lines = [f"{who.replace('/', ',')},{at(hour)},{value}" for who, hour, value in rows]
    path.write_text("\n".join(["site,meter,ts_utc,value", *lines]) + "\n")
    return str(path)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Give a city's folder with ten days of readings of three meters, some hours missing."""
    City.create(tmp_path / "city", timezone="Asia/Seoul").close()
    (tmp_path / "in").mkdir()
    (tmp_path / "in/meters.csv").write_text(METERS)
    every = [(who, hour, 1 + hour % 24 / 8) for who in ("c1/power", "c1/other", "c2/water") for hour in range(240)]
    readings(tmp_path / "in/readings.csv", [row for row in every if row[1] not in MISSING[row[0]]])
    desk = Desk(tmp_path / "city")
    desk.perform(Ingest([str(tmp_path / "in")]), no_progress)
    desk.close()
    return tmp_path / "city"


@pytest.fixture
def desk(folder: Path) -> Iterator[Desk]:
    desk = Desk(folder)
    yield desk
    desk.close()


def asked(desk: Desk, request: AnyRequest) -> Any:
    return json.loads(desk.perform(request, no_progress).document)


def at(hour: int) -> str:
    return (START + timedelta(hours=hour)).isoformat()


def replace(low: int, high: int, value: str | None = "7", channel: str | None = "c1/power", **more: Any) -> EditMake:
    return EditMake("replace", at(low), at(high), "Anna", "read by hand", channel, value=value, **more)


def now(desk: Desk) -> str:
    return datetime.fromtimestamp(desk.city().now() / 1e6, UTC).isoformat()


def test_an_edit_says_what_it_changed_and_the_list_who_why_and_what_became_of_it(desk: Desk) -> None:
    shown = asked(desk, replace(0, 2, dry_run=True))
    assert (shown["id"], shown["intervals"], shown["days"][0]["change"]) == (None, 2, 11.875)
    assert [row["before"] for row in shown["rows"]] == [1, 1.125]
    assert asked(desk, EditList())["edits"] == []
    made = asked(desk, replace(0, 2))
    assert made == {**shown, "id": 1, "batch": made["batch"], "dry_run": False}
    asked(desk, EditUndo(1, "Bo", "wrong meter"))
    asked(desk, replace(0, 1, channel="c1/*"))
    listed = asked(desk, EditList())["edits"]
    assert [(one["id"], one["action"], one["by"], one["undoes"], one["undone_by"]) for one in listed] == [
        (3, "replace", "Anna", None, None), (2, "undo", "Bo", 1, None), (1, "replace", "Anna", None, 2),
    ]  # fmt: skip
    assert listed[0]["channels"] == ["c1/other", "c1/power"]
    assert listed[2]["asked"]["value"] == "7"
    page = asked(desk, EditList(limit=2))
    assert (page["next"], [one["id"] for one in asked(desk, EditList(before=page["next"]))["edits"]]) == (2, [1])
    assert [one["id"] for one in asked(desk, EditList(channel="c1/other"))["edits"]] == [3]


REFUSED: list[tuple[AnyRequest, type[QuintetError], str]] = [
    (replace(0, 2, channel="c1/nobody"), NotFound, "unknown_channel"),
    (replace(0, 2, channel="c9/*"), NotFound, "unknown_channel"),
    (replace(0, 2, channel=None), UsageError, "no_channel"),
    (replace(0, 2, value=None), UsageError, "bad_values"),
    (replace(0, 2, value="many"), BadInput, "bad_value"),
    (replace(0, 2, value="NaN"), BadInput, "bad_value"),
    (replace(0, 2, value="1e999999"), BadInput, "too_large_value"),
    (replace(0, 2, value="0.0000001"), BadInput, "too_fine_value"),
    (replace(0, 2, value="7 m3"), BadInput, "bad_unit"),
    (replace(0, 2, value="7 kW"), BadInput, "bad_unit"),
    (replace(0, 2, channel="*"), UsageError, "several_units"),
    (replace(0, 2, quality="fine"), UsageError, "bad_quality"),
    (replace(0, 2, value=None, values=[(at(0), "1"), (at(0), "2")]), UsageError, "bad_values"),
    (EditMake("accept", at(0), at(2), " ", "why", "c1/power"), UsageError, "no_name"),
    (EditMake("accept", at(0), at(2), "Anna", "", "c1/power"), UsageError, "no_reason"),
    (EditMake("accept", at(2), at(0), "Anna", "why", "c1/power"), UsageError, "bad_range"),
    (EditMake("accept", at(100), at(102), "Anna", "why", "c1/power", rule="V99"), UsageError, "unknown_rule"),
    (EditMake("accept", at(100), at(102), "Anna", "why", "c1/power", rule="V19"), BadInput, "nothing_picked"),
    (EditUndo(5, "Anna", "why"), NotFound, "no_such_edit"),
    (EventAdd("device_flag", at(0), "Anna", "why", channel="c1/power", detail="power_fail"), BadInput, "unknown_flag"),
    (EventList(kind="flood"), UsageError, "bad_event"),
    (EventList(place="nowhere"), NotFound, "unknown_place"),
    (EventList(start=at(2), end=at(1)), UsageError, "bad_range"),
    (EventList(known_at="2099-01-01"), UsageError, "future_known_at"),
    (EditList(known_at="2099-01-01"), UsageError, "future_known_at"),
    (AuditList(known_at="2099-01-01"), UsageError, "future_known_at"),
    (EventAdd("flood", at(0), "Anna", "why", place="c1"), UsageError, "bad_event"),
    (EventAdd("supply_outage", at(0), "Anna", "why"), UsageError, "bad_event"),
    (EventAdd("device_flag", at(0), "Anna", "why", place="c1"), UsageError, "bad_event"),
    (EventAdd("supply_outage", at(0), "Anna", "why", place="nowhere"), NotFound, "unknown_place"),
    (EventAdd("supply_outage", at(2), "Anna", "why", end=at(1), place="c1"), UsageError, "bad_range"),
    (EventAdd("supply_outage", at(2), "", "why", place="c1"), UsageError, "no_name"),
    (EventWithdraw(1, "Anna", "why"), NotFound, "no_such_event"),
    (Diff(at(2), at(1), at(0), at(1)), UsageError, "bad_moments"),
    (Diff(at(1), at(2), at(0), at(1), "c1", "c1/power"), UsageError, "bad_question"),
]


def test_what_makes_no_sense_is_refused_in_words_and_nothing_is_stored(desk: Desk) -> None:
    batch = desk.city().engine.last_batch
    wrong: list[tuple[Any, str, str]] = []
    for request, kind, code in REFUSED:
        with pytest.raises(QuintetError) as caught:
            desk.perform(request, no_progress)
        if not isinstance(caught.value, kind) or caught.value.code != code:
            wrong.append((request, caught.value.code, code))
    assert wrong == []
    assert desk.city().engine.last_batch == batch


def test_values_come_in_any_unit_of_the_quantity_and_from_a_file(desk: Desk, tmp_path: Path) -> None:
    kwh = units()["kWh"]
    assert sub_units("7", kwh, "") == sub_units("7000 Wh", kwh, "") == sub_units("0.007 MWh", kwh, "") == 7_000_000
    file = tmp_path / "values.csv"
    file.write_text(f"start,value\n{at(101)},2.5\n\n{at(103)},0\n")
    done = asked(desk, replace(100, 106, value=None, values=read_values(file)))
    assert [(row["after"], row["before"]) for row in done["rows"]] == [(2.5, None), (0, None)]
    for text, code in (("time,value\n", "bad_header"), ("start,value\n2025-10-01,\n", "no_value")):
        file.write_text(text)
        with pytest.raises(BadInput) as caught:
            read_values(file)
        assert caught.value.code == code


def test_events_stand_until_they_are_withdrawn_and_are_known_as_of_a_moment(desk: Desk) -> None:
    before = now(desk)
    asked(desk, EventAdd("supply_outage", at(10), "Anna", "works", end=at(20), place="c1"))
    asked(desk, EventAdd("device_flag", at(15), "Anna", "it was opened", channel="c1/power", detail="tamper"))
    both = now(desk)
    asked(desk, EventWithdraw(1, "Bo", "the next street"))

    def standing(**wanted: Any) -> list[int]:
        return [row["id"] for row in asked(desk, EventList(**wanted))["events"]]

    assert (standing(), standing(known_at=both), standing(known_at=before)) == ([2], [1, 2], [])
    assert (standing(kind="supply_outage", known_at=both), standing(start=at(20), known_at=both)) == ([1], [2])
    assert standing(end=at(15), known_at=both) == [1]
    of = {place: standing(place=place, known_at=both) for place in ("c1", "c1/b", "c1/b/1", "c1/b/2", "c2")}
    assert of == {"c1": [1, 2], "c1/b": [1, 2], "c1/b/1": [1, 2], "c1/b/2": [1], "c2": []}
    with pytest.raises(BadInput, match="does not stand"):
        asked(desk, EventWithdraw(1, "Bo", "again"))
    assert asked(desk, AuditVerify())["events"] == 3


def test_a_difference_is_told_by_cause_and_adds_up(desk: Desk, tmp_path: Path) -> None:
    before = now(desk)
    asked(desk, replace(0, 2))
    asked(desk, replace(4, 6))
    asked(desk, EditUndo(2, "Bo", "wrong meter"))
    late = [("c1/power", 102, 3.0), ("c1/power", 50, 9.0), ("c1/power", 300, 2.0)]
    desk.perform(Ingest([readings(tmp_path / "late.csv", late)]), no_progress)
    desk.perform(RegistryRewire("c2/water", at(48), place="c1"), no_progress)
    after = now(desk)
    told = asked(desk, Diff(before, after, at(0), at(744), place="c1"))
    causes = {(one["commodity"], one["cause"]): one["change"] for one in told["causes"]}
    assert causes["electricity", "edit"] == 11.875
    assert causes["electricity", "undo"] == 0
    assert causes["electricity", "corrected"] == 9 - (1 + 50 % 24 / 8)
    assert causes["electricity", "arrived"] == 2, "newer than all that was known is not late"
    assert causes.get(("electricity", "late"), 0) + causes.get(("electricity", "measured"), 0) == 3
    assert causes["water", "registry"] == sum(1 + hour % 24 / 8 for hour in range(48, 240))
    assert all(one["adds_up"] for one in told["totals"])
    for known, name in ((before, "before"), (after, "after")):
        rows = asked(desk, Balance(at(0), at(744), "month", "c1", known))["rows"]
        consumed = {row["commodity"]: row["consumption"] for row in rows if row["start"].startswith("2025-10")}
        totals = {one["commodity"]: one[name] for one in told["totals"]}
        assert totals["electricity"] == pytest.approx(consumed["electricity"])
    for commodity in ("electricity", "water"):
        total = next(one for one in told["totals"] if one["commodity"] == commodity)
        for parts in ("causes", "days", "channels"):
            own = [one["change"] for one in told[parts] if one["commodity"] == commodity]
            assert sum(own) == pytest.approx(total["change"], abs=1e-9)
    edit = next(one for one in told["causes"] if one["cause"] == "edit")
    assert edit["text"] == "Edit 1 by Anna, replaced, 2 intervals: +11.875 kWh. Reason: read by hand"
    korean = asked(desk, Diff(before, after, at(0), at(744), channel="c1/power", lang="ko"))["causes"]
    assert "Anna 님의 편집 1, 교체, 구간 2개: +11.875 kWh. 사유: read by hand" in [one["text"] for one in korean]
    assert asked(desk, Diff(after, now(desk), at(0), at(744)))["causes"] == []


def test_what_was_not_known_is_nothing_and_not_zero(desk: Desk, tmp_path: Path) -> None:
    before = now(desk)
    first = [("c1/power", hour, 2.0) for hour in range(400, 412) if hour != 405]
    desk.perform(Ingest([readings(tmp_path / "first.csv", first)]), no_progress)
    middle = now(desk)
    desk.perform(Ingest([readings(tmp_path / "late.csv", [("c1/power", 405, 3.0)])]), no_progress)
    told = desk.perform(Diff(before, middle, at(400), at(424), channel="c1/power"), no_progress)
    (total,) = told.read()["totals"]
    assert (total["before"], total["before_coverage"], total["before_estimated_share"]) == (None, 0, None)
    assert (total["change"], total["adds_up"]) == (total["after"], True)
    assert "nothing was known, then" in told.notes[0]
    assert "arrived" in [one["cause"] for one in told.read()["causes"]]
    assert "late" not in [one["cause"] for one in told.read()["causes"]]
    later = asked(desk, Diff(middle, now(desk), at(404), at(408), channel="c1/power"))
    (total,) = later["totals"]
    assert total["after_coverage"] == 1
    assert {one["cause"] for one in later["causes"]} <= {"late", "measured"}
    (last,) = asked(desk, Diff(middle, now(desk), at(405), at(406), channel="c1/power"))["totals"]
    assert last["before"] is None or last["before_estimated_share"] == 1


def test_a_difference_of_closed_days_is_the_same(desk: Desk, tmp_path: Path) -> None:
    city = desk.city()
    city.close_days()
    before = now(desk)
    asked(desk, replace(0, 2))
    desk.perform(Ingest([readings(tmp_path / "late.csv", [("c1/power", 1, 4.0), ("c1/other", 1, 4.0)])]), no_progress)
    open_told = asked(desk, Diff(before, now(desk), at(0), at(744)))
    city.close_days()
    closed_told = asked(desk, Diff(before, now(desk), at(0), at(744)))
    assert closed_told["causes"] == open_told["causes"]
    assert [(one["cause"], one["change"]) for one in closed_told["causes"]] == [("corrected", 2.875), ("edit", 11.875)]
    assert asked(desk, AuditVerify())["ok"]


def test_the_lists_of_the_registry_are_known_as_of_a_moment_too(desk: Desk) -> None:
    before = now(desk)
    desk.perform(RegistryRewire("c2/water", at(48), place="c1"), no_progress)
    counted = [one["place"] for one in asked(desk, MetersShow("c2/water"))["placements"]]
    assert counted == ["c2/d/3", "c1"]
    assert [one["place"] for one in asked(desk, MetersShow("c2/water", before))["placements"]] == ["c2/d/3"]
    assert len(asked(desk, MetersList(place="c1", known_at=before))["meters"]) == 2
    assert len(asked(desk, MetersList(place="c1"))["meters"]) == 3
    assert asked(desk, RegistryList("2025-01-01"))["places"] == [] or "c1" not in {
        one["place"] for one in asked(desk, RegistryList("2025-01-01"))["places"]
    }
    with pytest.raises(UsageError, match="is in the future"):
        asked(desk, MetersList(known_at="2099-01-01"))


def test_a_broken_chain_ends_with_1(desk: Desk) -> None:
    asked(desk, replace(0, 2))
    fine = desk.perform(AuditVerify(), no_progress)
    assert (fine.exit_code, json.loads(fine.document)["records"]) == (0, 3)
    with desk.city().engine.writing("tamper", "test", "Eve", 0) as writing:
        writing.execute("update edit set reason = 'another'")
    assert "sums of hours and days" in fine.notes[-1], "what it does not look at"
    broken = desk.perform(AuditVerify(), no_progress)
    assert (broken.exit_code, json.loads(broken.document)["broken"]) == (1, "edit 1 is not as record 3 tells.")


def test_the_audit_list_is_known_as_of_a_moment_and_shows_no_seals(desk: Desk) -> None:
    asked(desk, replace(0, 2))
    moment = now(desk)
    asked(desk, EditUndo(1, "Bo", "wrong meter"))
    assert [one["action"] for one in asked(desk, AuditList(limit=2))["records"]] == ["undo", "replace"]
    assert asked(desk, AuditList(known_at=moment))["records"][0]["action"] == "replace"
    shown = desk.perform(AuditList(), no_progress)
    assert "sealed" in shown.read()["records"][0]["detail"]
    assert "sealed" not in str(shown.rows)


def commands(root: Path) -> list[list[str]]:
    text = (root / "docs/editing.md").read_text(encoding="utf-8")
    return [shlex.split(line)[1:] for block in BLOCK.findall(text) for line in block.splitlines() if line]


def test_the_page_names_every_command_of_its_groups(root: Path) -> None:
    named = {" ".join(words[:2]) if words[0] != "diff" else "diff" for words in commands(root)}
    mine = {name for name in COMMANDS if name.split()[0] in ("edit", "event", "audit", "diff")}
    assert mine <= named


def test_the_commands_of_the_page_do_what_it_says(
    root: Path, folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    before = datetime.now(UTC).isoformat()
    monkeypatch.setenv("QUINTET_CITY", str(folder))
    monkeypatch.chdir(folder.parent)
    Path("values.csv").write_text("start,value\n2025-10-04T01:00:00+09:00,2.5\n")
    late = readings(Path("late.csv"), [("c1/power", 8, 3.0), ("c1/other", 8, 3.0)])
    run: Callable[..., Any] = build()
    assert run(["ingest", late], exit_on_error=False, print_error=False) == 0
    outcomes: list[tuple[int, list[str]]] = []
    for words in commands(root):
        moments = {"BEFORE": before, "AFTER": datetime.now(UTC).isoformat()}
        try:
            code = run([moments.get(word, word) for word in words], exit_on_error=False, print_error=False)
        except (CycloptsError, QuintetError) as error:
            pytest.fail(f"{words}: {error}")
        outcomes.append((code, words))
    assert [one for one in outcomes if one[0] != 0] == []
    assert "Nothing was changed." in capsys.readouterr().err
