"""The command line end to end on a city whose numbers are known: the contracts that others script against."""

import csv
import io
import json
import subprocess
import sys
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

Run = Callable[..., subprocess.CompletedProcess[str]]
DAYS = ("--from", "2025-02-01", "--to", "2025-02-03")
FLOWS = [
    "import", "local_generation", "conversion_in", "conversion_out", "storage_discharge", "storage_charge", "export",
    "consumption", "known_loss",
]  # fmt: skip


def from_json(done: subprocess.CompletedProcess[str]) -> Any:
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout, parse_float=Decimal)


def from_csv(done: subprocess.CompletedProcess[str]) -> list[dict[str, str]]:
    assert done.returncode == 0, done.stderr
    return list(csv.DictReader(io.StringIO(done.stdout)))


def test_ingest_counts_and_the_second_time_changes_nothing(city: Path, dataset: Path, quintet: Run) -> None:
    first = from_json(quintet("ingest", dataset, "--city", city, "--format", "json"))
    wanted = {"files": 2, "accepted": 769, "duplicate": 0, "rejected": 0, "quarantined": 1}
    assert {key: first[key] for key in wanted} == wanted
    assert (first["meters_registered"], first["meters_quarantined"]) == (4, 1)
    before = from_json(quintet("doctor", "--city", city, "--format", "json"))["content_hash"]
    again = from_json(quintet("ingest", dataset, "--city", city, "--format", "json"))
    assert (again["accepted"], again["duplicate"], again["meters_registered"]) == (0, 769, 0)
    assert from_json(quintet("doctor", "--city", city, "--format", "json"))["content_hash"] == before


def test_intervals_are_exact_with_their_header(read_only: Path, quintet: Run) -> None:
    done = quintet("intervals", "c1/home-gas", *DAYS, "--resolution", "15min", "--city", read_only, "--format", "csv")
    assert done.stdout.splitlines()[0] == "start,value,unit,quality,coverage,estimated_share"
    rows = from_csv(done)
    assert len(rows) == 192
    assert rows[0] == {
        "start": "2025-02-01T00:00:00+09:00",
        "value": "0.02",
        "unit": "m3",
        "quality": "valid",
        "coverage": "1",
        "estimated_share": "0",
    }
    assert sum(Decimal(row["value"]) for row in rows) == Decimal("5.76")
    assert {row["quality"] for row in rows} == {"valid"}


def test_what_is_not_known_is_empty_not_zero(read_only: Path, quintet: Run) -> None:
    span = ("--from", "2025-02-02", "--to", "2025-02-05", "--resolution", "day")
    rows = from_csv(quintet("intervals", "c1/home-electricity", *span, "--city", read_only, "--format", "csv"))
    assert [(row["start"][:10], row["value"], row["coverage"]) for row in rows] == [
        ("2025-02-02", "24", "1"),
        ("2025-02-03", "", "0"),
        ("2025-02-04", "", "0"),
    ]
    months = ("--from", "2025-02", "--to", "2025-03", "--resolution", "month")
    document = from_json(quintet("intervals", "c1/home-electricity", *months, "--city", read_only, "--format", "json"))
    assert (document["channel"], document["unit"]) == ("c1/home-electricity", "kWh")
    assert document["known_at"].endswith("+09:00")
    assert document["rule_set"]
    assert document["rows"][0]["value"] == 48
    assert document["rows"][0]["coverage"] == pytest.approx(Decimal(2) / 28, abs=Decimal("1e-6"))


def test_the_balance_closes_as_far_as_it_is_metered(read_only: Path, quintet: Run) -> None:
    document = from_json(quintet("balance", *DAYS, "--resolution", "day", "--city", read_only, "--format", "json"))
    assert set(document) == {"known_at", "rule_set", "rows"}
    columns = [
        "start",
        "place",
        "commodity",
        "unit",
        *FLOWS,
        "closure_error",
        "derived",
        "coverage",
        "estimated_share",
        "least_known",
        "reason",
    ]
    assert all(list(row) == columns for row in document["rows"])
    power, gas = document["rows"][0], document["rows"][1]
    assert (power["commodity"], power["start"], power["place"]) == ("electricity", "2025-02-01T00:00:00+09:00", "city")
    said = [power[name] for name in ("import", "local_generation", "consumption", "closure_error", "derived")]
    assert said == [Decimal("28.8"), Decimal("0.96"), 24, Decimal("5.76"), []]
    assert gas["derived"] == ["import"]
    assert gas["closure_error"] is None
    assert (gas["import"], gas["unit"]) == (Decimal("2.88"), "m3")
    assert len(document["rows"]) == 4


def test_a_lower_place_has_no_boundary_of_the_city(read_only: Path, quintet: Run) -> None:
    place = ("--place", "c1", "--resolution", "day")
    document = from_json(quintet("balance", *DAYS, *place, "--city", read_only, "--format", "json"))
    power = document["rows"][0]
    assert power["derived"] == ["import"]
    assert power["import"] == Decimal("23.04")


def test_known_at_gives_what_was_known_then(read_only: Path, quintet: Run) -> None:
    known = ("--known-at", "2020-01-01T00:00:00+09:00", "--resolution", "day", "--city", read_only, "--format", "csv")
    rows = from_csv(quintet("intervals", "c1/home-electricity", *DAYS, *known))
    assert [row["value"] for row in rows] == ["", ""]


def test_self_sufficiency_by_its_definitions(read_only: Path, quintet: Run) -> None:
    document = from_json(quintet("selfsufficiency", *DAYS, "--city", read_only, "--format", "json"))
    by_id = {row["id"]: row for row in document["definitions"]}
    assert by_id["power_renewable"]["value"] == Decimal("0.04")
    assert by_id["interval_autarky"]["value"] == Decimal("-0.2")
    assert by_id["power_renewable"]["coverage"] == 1
    assert document["interval"] == "hour"


def test_emissions_name_factor_and_source(read_only: Path, quintet: Run) -> None:
    done = quintet("emissions", *DAYS, "--resolution", "month", "--city", read_only, "--format", "json")
    document = from_json(done)
    bought = [row for row in document["rows"] if row["scope"] == 2]
    assert bought[0]["amount"] == Decimal("57.6")
    assert bought[0]["kg_co2e"] > 0
    assert all(bought[0][key] for key in ("factor", "source", "published_on", "basis"))
    burnt = [row for row in document["rows"] if row["scope"] == 1]
    assert burnt
    assert {row["unit"] for row in burnt} == {"m3"}


def test_meters_and_places_are_listed(read_only: Path, quintet: Run) -> None:
    rows = from_csv(quintet("meters", "list", "--city", read_only, "--format", "csv"))
    assert [row["channel"] for row in rows] == ["c1/home-electricity", "c1/home-gas", "c1/roof", "city/grid"]
    assert rows[2]["commodity"] == "electricity"
    assert rows[3]["place"] == "city"
    shown = from_json(quintet("meters", "show", "c1/roof", "--city", read_only, "--format", "json"))
    assert shown["placements"][0]["flow"] == "local_generation"
    places = from_json(quintet("registry", "list", "--city", read_only, "--format", "json"))["places"]
    assert [(place["place"], place["level"]) for place in places][:2] == [("city", "city"), ("c1", "complex")]
    within = from_csv(quintet("meters", "list", "--place", "c1", "--city", read_only, "--format", "csv"))
    assert len(within) == 3


def test_quarantine_names_what_was_not_taken(read_only: Path, quintet: Run) -> None:
    rows = from_json(quintet("quarantine", "list", "--city", read_only, "--format", "json"))["quarantine"]
    assert {row["code"] for row in rows} == {"naive_time", "unknown_commodity"}
    assert any(row["meter"] == "odd" for row in rows)


def test_registry_sync_shows_then_does_then_has_nothing_to_do(
    filled: Path, dataset: Path, quintet: Run, tmp_path: Path
) -> None:
    listing = tmp_path / "list.csv"
    lines = [
        line for line in (dataset / "meters.csv").read_text().splitlines() if "odd" not in line and "roof" not in line
    ]
    listing.write_text("\n".join([*lines, "c1,102,new,water,m3,register_cumulative,60,Asia/Seoul,consumption"]) + "\n")
    words = ("registry", "sync", listing, "--city", filled, "--as-of", "2025-02-03", "--format", "json")
    dry = from_json(quintet(*words, "--dry-run"))
    assert (dry["dry_run"], dry["added"], dry["ended"]) == (True, 1, 1)
    assert len(from_csv(quintet("meters", "list", "--city", filled, "--format", "csv"))) == 4
    done = from_json(quintet(*words))
    assert (done["added"], done["ended"]) == (1, 1)
    assert {row["channel"] for row in done["differences"]} == {"c1/new", "c1/roof"}
    assert len(from_csv(quintet("meters", "list", "--city", filled, "--format", "csv"))) == 5
    again = from_json(quintet(*words))
    assert (again["added"], again["changed"], again["ended"]) == (0, 0, 0)


def test_an_operator_records_what_happened(filled: Path, quintet: Run) -> None:
    here = ("--city", filled, "--format", "json")
    assert from_json(quintet("close", *here))["closed_days"] == 3
    words = ("c1/home-gas", "gas2", "--at", "2025-02-02T12:00:00+09:00", "--old-final", "102.14", "--new-first", "7")
    assert from_json(quintet("registry", "exchange", *words, *here))["readings"] >= 1
    assert from_json(quintet("registry", "rewire", "c1/roof", "--from", "2025-02-02", "--place", "c1", *here))[
        "changed"
    ]
    shown = from_json(quintet("meters", "show", "c1/roof", *here))["placements"]
    assert {(one["place"], one["to"] or one["from"]) for one in shown} == {
        ("c1/101", "2025-02-02T00:00:00+09:00"),
        ("c1", "2025-02-02T00:00:00+09:00"),
    }
    assert from_json(quintet("registry", "move-in", "c1/101", "--occupant", "4711", "--at", "2025-02", *here))[
        "changed"
    ]
    assert from_json(quintet("registry", "move-out", "c1/101", "--at", "2025-03", *here))["changed"]
    refused = quintet("registry", "move-out", "c1/102", "--at", "2025-03", *here)
    assert (refused.returncode, refused.stdout) == (1, "")
    assert "c1/102" in refused.stderr


def test_a_map_takes_what_it_lists_and_counts_the_rest(city: Path, dataset: Path, quintet: Run, tmp_path: Path) -> None:
    listed = tmp_path / "map.csv"
    listed.write_text("site,meter,virtual_city,shift_days\nc1,roof,V,0\n")
    taken = from_json(quintet("ingest", dataset, "--map", listed, "--city", city, "--format", "json"))
    counts = {name: taken[name] for name in ("accepted", "duplicate", "quarantined", "skipped")}
    assert counts == {"accepted": 192, "duplicate": 0, "quarantined": 0, "skipped": 578}


def test_a_backup_becomes_the_same_city(filled: Path, quintet: Run, tmp_path: Path) -> None:
    copy, restored = tmp_path / "copy", tmp_path / "restored"
    assert quintet("backup", "create", copy, "--city", filled).returncode == 0
    assert quintet("backup", "create", copy, "--city", filled).returncode == 2
    assert quintet("backup", "restore", copy, restored).returncode == 0
    hashes = [
        from_json(quintet("doctor", "--city", folder, "--format", "json"))["content_hash"]
        for folder in (filled, restored)
    ]
    assert hashes[0] == hashes[1]
    refused = quintet("backup", "restore", copy, filled)
    assert refused.returncode == 1
    assert "city already" in refused.stderr


def test_a_healthy_city_has_no_errors(read_only: Path, quintet: Run) -> None:
    done = quintet("doctor", "--city", read_only, "--format", "json")
    document = from_json(done)
    assert document["fine"] is True
    assert not [finding for finding in document["findings"] if finding["severity"] == "error"]


@pytest.mark.parametrize("words", [["meters", "list"], ["balance", *DAYS], ["registry", "list"], ["doctor"]])
def test_tables_are_readable_and_say_nothing_on_stderr_about_progress(
    read_only: Path, quintet: Run, words: list[str]
) -> None:
    done = quintet(*words, "--city", read_only)
    assert done.returncode == 0
    assert done.stdout.strip()
    assert "\x1b" not in done.stdout + done.stderr
    assert max(map(len, done.stdout.splitlines())) < 400


def test_the_environment_names_city_and_format(read_only: Path, quintet: Run) -> None:
    done = quintet("meters", "list", QUINTET_CITY=str(read_only), QUINTET_FORMAT="csv")
    assert done.stdout.startswith("channel,commodity,")
    flag = quintet("meters", "list", "--format", "json", QUINTET_CITY=str(read_only), QUINTET_FORMAT="csv")
    assert json.loads(flag.stdout)["meters"]


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (["intervals", "c1/home", *DAYS], 1, "Did you mean c1/home-electricity"),
        (["intervals", "c1/roof", "--from", "2025-02-01T00:00:00", "--to", "2025-02-02"], 2, "has no offset"),
        (["intervals", "c1/roof", "--from", "2025-02-02", "--to", "2025-02-01"], 2, "empty"),
        (["intervals", "c1/roof", "--from", "yesterday", "--to", "2025-02-01"], 2, "is no moment"),
        (["balance", *DAYS, "--place", "c9"], 1, "no place 'c9'"),
        (["meters", "list", "--commodity", "plasma"], 1, "unknown commodity plasma"),
        (["ingest", "/nowhere/at/all"], 1, "/nowhere/at/all"),
        (["registry", "sync", "/nowhere.csv"], 1, "/nowhere.csv"),
    ],
)
def test_mistakes_are_one_clear_line(read_only: Path, quintet: Run, words: list[str], code: int, said: str) -> None:
    done = quintet(*words, "--city", read_only)
    assert (done.returncode, done.stdout) == (code, "")
    assert said in done.stderr
    assert done.stderr.startswith("quintet: ")
    assert done.stderr.count("\n") == 1
    assert "Traceback" not in done.stderr


def test_one_bad_dataset_does_not_keep_back_the_other(city: Path, dataset: Path, quintet: Run, tmp_path: Path) -> None:
    empty = tmp_path / "empty"
    empty.mkdir()
    (empty / "readings.csv").write_text("")
    done = quintet("ingest", dataset, empty, "--city", city, "--format", "json")
    assert done.returncode == 1
    assert json.loads(done.stdout)["accepted"] == 769
    assert str(empty / "readings.csv") in done.stderr


def test_init_refuses_a_city_and_a_wrong_clock(city: Path, quintet: Run, tmp_path: Path) -> None:
    again = quintet("init", city)
    assert again.returncode == 1
    assert "is a city already" in again.stderr
    wrong = quintet("init", tmp_path / "x", "--timezone", "Mars/Base")
    assert wrong.returncode == 1
    assert "Mars/Base" in wrong.stderr
    assert not (tmp_path / "x").exists()
    (tmp_path / "plain").write_text("")
    assert quintet("init", tmp_path / "plain").returncode == 1
    assert quintet("init", tmp_path / "plain" / "below").returncode == 1


def test_an_empty_city_answers(city: Path, quintet: Run) -> None:
    for words in (["meters", "list"], ["balance", *DAYS], ["registry", "list"], ["quarantine", "list"], ["doctor"]):
        done = quintet(*words, "--city", city, "--format", "json")
        assert done.returncode == 0, done.stderr
        json.loads(done.stdout)


def test_korean_names_are_printed_whatever_the_locale(read_only: Path, quintet: Run) -> None:
    done = quintet("registry", "list", "--city", read_only, PYTHONIOENCODING="latin-1", LC_ALL="C")
    assert (done.returncode, done.stderr) == (0, "")
    assert "나주" in done.stdout


@pytest.mark.parametrize("module", ["quintet", "quintet.app"])
def test_the_exit_code_comes_through_however_the_program_is_started(city: Path, module: str) -> None:
    words = [sys.executable, "-m", module, "close", "--until", "2999-01-01", "--city", str(city)]
    done = subprocess.run(words, capture_output=True, text=True, timeout=120, check=False)
    assert (done.returncode, done.stdout) == (2, "")
    assert "2999-01-01 is to come" in done.stderr
