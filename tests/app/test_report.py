"""A report: the same question gives the same bytes, anyone can recompute it, and what was changed is found."""

import json
import re
import shutil
import zipfile
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
import pytest

from quintet.app.city import City
from quintet.app.command_report import span_said
from quintet.app.report_bundle import BUNDLE, FIGURES, Bundle, bundle_digest, read_bundle, text_digest
from quintet.app.report_pdf import font_folder
from quintet.store.backup import restore_backup
from quintet.terms.errors import BadInput, CityError, UsageError

from .ledger_city import PLANT, SETTINGS, Clock, made, send
from .test_emissions import OWN

RunHere = Callable[..., tuple[int, str, str]]
SPAN = ("--from", "2022-03-28", "--to", "2022-03-31")
CELL_TEXT = re.compile(r"<si>(.*?)</si>")
CELL = re.compile(r'<c r="(\w+)"(?: s="\d+")?(?: t="(\w+)")?>(?:<f>(.*?)</f>)?<v>(.*?)</v>')
PIN = """
[[self_sufficiency]]
definition = "power_renewable"
valid_from = 2020-01-01
by = "city council"
why = "ordinance 12"
"""


@pytest.fixture(scope="module")
def stored(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give a closed city folder; nobody writes into it."""
    folder = tmp_path_factory.mktemp("report") / "city"
    made(folder, ledger=OWN + PIN).close()
    return folder


@pytest.fixture
def folder(stored: Path, tmp_path: Path) -> Path:
    """Give a copy of the city that a test may change."""
    return Path(shutil.copytree(stored, tmp_path / "city"))


def built(run: RunHere, city: Path, out: Path, *words: str) -> Any:
    code, _, err = run("report", "build", *SPAN, "--city", str(city), "--out", str(out), *words)
    assert code == 0, err
    return json.loads((out / FIGURES).read_bytes())


def verified(run: RunHere, bundle: Path, city: Path) -> tuple[int, Any]:
    code, out, err = run("report", "verify", str(bundle), "--city", str(city), "--format", "json")
    assert out, err
    return code, json.loads(out)


def correct(folder: Path, value: float = 120.0) -> None:
    """Commit other readings of the grid's meter, now."""
    clock = Clock()
    clock.now = datetime.now(UTC)
    city = City.open(folder, now=clock)
    send(city, {"grid": value}, hours=range(30, 36))
    city.close()


def seal(bundle: Path) -> None:
    """Make a bundle's digests fit what lies there, as who forges one would."""
    said = read_bundle(bundle)
    files = {name: text_digest((bundle / name).read_bytes()) for name in said.files}
    said = msgspec.structs.replace(said, files=files)
    (bundle / BUNDLE).write_bytes(msgspec.json.encode(msgspec.structs.replace(said, digest=bundle_digest(said))))


def test_the_figures_are_those_of_the_ledger_and_say_what_is_missing(
    run: RunHere, folder: Path, tmp_path: Path
) -> None:
    figures = built(run, folder, tmp_path / "out")
    totals = {(one["commodity"], one["flow"]): one["total"] for one in figures["totals"]}
    assert (totals["electricity", "import"], totals["electricity", "closure_error"]) == (7200, 360)
    assert totals["gas", "closure_error"] is None
    assert figures["self_sufficiency"]["pinned"]["definition"] == "power_renewable"
    assert [one["kg_co2e"] for one in figures["emissions"]["scopes"]][1] == 3104.64
    first = [figures["missing"][0][name] for name in ("part", "subject", "periods", "reason")]
    assert first == ["balance", "gas closure_error", 1, "derived: import"]
    assert all(one["low"] == one["high"] == one["total"] for one in figures["certainty_whole"]["rows"])


def test_the_same_question_gives_the_same_bytes_and_both_languages_the_same_figures(
    run: RunHere, folder: Path, tmp_path: Path
) -> None:
    first, second, third = (tmp_path / name for name in ("first", "second", "third"))
    moment = built(run, folder, first, "--lang", "ko")["known_at"]
    built(run, folder, second, "--lang", "ko", "--known-at", moment)
    built(run, folder, third, "--lang", "en", "--known-at", moment)
    for name in sorted(one.name for one in first.iterdir()):
        assert (first / name).read_bytes() == (second / name).read_bytes(), name
    assert (first / FIGURES).read_bytes() == (third / FIGURES).read_bytes()
    pdf = (first / "report-ko.pdf").read_bytes()
    assert pdf.startswith(b"%PDF-")
    assert b"pdfuaid" in pdf


def test_it_verifies_on_another_machine_and_after_what_came_later(run: RunHere, folder: Path, tmp_path: Path) -> None:
    bundle = tmp_path / "out"
    built(run, folder, bundle)
    city = City.open(folder)
    city.backup(tmp_path / "backup")
    city.close()
    restore_backup(tmp_path / "backup", tmp_path / "elsewhere")
    assert verified(run, bundle, tmp_path / "elsewhere")[0] == 0
    correct(folder)
    settings = SETTINGS + OWN.replace('co2e_kg = "200"', 'co2e_kg = "250"') + PLANT
    (folder / "city.toml").write_text(settings, encoding="utf-8")
    code, said = verified(run, bundle, folder)
    assert (code, said["differing_figures"], said["differences"]) == (0, 0, [])
    later = built(run, folder, tmp_path / "later")
    assert later["balance"][0]["import"] > 7200
    assert read_bundle(tmp_path / "later").basis.factor_set != read_bundle(bundle).basis.factor_set


def test_a_figure_that_was_changed_is_found_even_where_its_digests_were_too(
    run: RunHere, folder: Path, tmp_path: Path
) -> None:
    bundle = tmp_path / "out"
    built(run, folder, bundle)
    text = (bundle / FIGURES).read_text(encoding="utf-8")
    (bundle / FIGURES).write_text(text.replace('"import":7200', '"import":7199', 1), encoding="utf-8")
    code, said = verified(run, bundle, folder)
    assert (code, said["touched"], said["differing_figures"]) == (1, [FIGURES], 1)
    seal(bundle)
    code, said = verified(run, bundle, folder)
    assert (code, said["touched"]) == (1, [])
    (found,) = said["differences"]
    assert (found["what"], found["bundle"], found["city"]) == ("/balance/0/import", "7199", "7200")
    (bundle / "report.xlsx").unlink()
    assert verified(run, bundle, folder)[1]["touched"] == ["report.xlsx"]


@pytest.mark.parametrize("name", ["report-en.pdf", "report.xlsx", "factors.json"])
def test_a_file_that_is_forged_with_its_digests_is_found(run: RunHere, folder: Path, tmp_path: Path, name: str) -> None:
    bundle = tmp_path / "out"
    built(run, folder, bundle, "--lang", "en")
    assert verified(run, bundle, folder)[0] == 0
    content = (bundle / name).read_bytes()
    (bundle / name).write_bytes(content.replace(b"417.3", b"4.173") if name == "factors.json" else content + b" ")
    assert (bundle / name).read_bytes() != content
    seal(bundle)
    code, said = verified(run, bundle, folder)
    assert (code, said["differing_figures"], said["touched"]) == (1, 0, [])
    assert [one["what"] for one in said["differences"]] == [name]
    (bundle / name).write_bytes(content)
    seal(bundle)
    (bundle / "report-extra.pdf").write_bytes(b"%PDF-")
    code, said = verified(run, bundle, folder)
    assert (code, said["differences"][0]["what"]) == (1, "report-extra.pdf")


def test_a_city_with_other_readings_is_named_by_its_days(run: RunHere, folder: Path, tmp_path: Path) -> None:
    made(tmp_path / "other", ledger=OWN + PIN, left_out=("homes-gas",)).close()
    bundle = tmp_path / "out"
    built(run, folder, bundle)
    code, said = verified(run, bundle, tmp_path / "other")
    causes = {one["what"]: one["why"] for one in said["differences"]}
    assert code == 1
    assert "3 days differ: 2022-03-28 2022-03-29 2022-03-30" in causes["data"]
    assert "data" in causes["/balance/1/consumption"]


def test_rules_and_versions_that_differ_are_named_and_fail_nothing_by_themselves(
    run: RunHere, folder: Path, tmp_path: Path
) -> None:
    bundle = tmp_path / "out"
    built(run, folder, bundle)
    said = json.loads((bundle / BUNDLE).read_bytes())
    said["basis"]["rule_set"], said["basis"]["software"]["numpy"] = "vee-older", "1.0"
    (bundle / BUNDLE).write_bytes(msgspec.json.encode(msgspec.convert(said, Bundle)))
    seal(bundle)
    code, answer = verified(run, bundle, folder)
    named = ["rule_set", "software numpy", "report.xlsx", "report-ko.pdf"]
    assert (code, [one["what"] for one in answer["differences"]]) == (0, named)
    assert "another version of the program" in answer["differences"][-1]["why"]


def sheets(path: Path) -> dict[str, dict[str, tuple[str, str]]]:
    """Read a workbook as (formula, value) by cell, by sheet."""
    with zipfile.ZipFile(path) as book:
        shared = [re.sub("<.*?>", "", one) for one in CELL_TEXT.findall(book.read("xl/sharedStrings.xml").decode())]
        out: dict[str, dict[str, tuple[str, str]]] = {}
        for at, name in enumerate(re.findall(r'<sheet name="([^"]+)"', book.read("xl/workbook.xml").decode()), 1):
            found = CELL.findall(book.read(f"xl/worksheets/sheet{at}.xml").decode())
            out[name] = {
                ref: (formula, shared[int(value)] if kind == "s" else value) for ref, kind, formula, value in found
            }
    return out


def test_the_sheets_sum_their_own_rows(run: RunHere, folder: Path, tmp_path: Path) -> None:
    built(run, folder, tmp_path / "out", "--lang", "en")
    book = sheets(tmp_path / "out" / "report.xlsx")
    scopes, rows, balance = book["Scopes"], book["Emissions"], book["Balance"]
    assert scopes["B3"][0] == "SUMIFS('Emissions'!$G$2:$G$11,'Emissions'!$B$2:$B$11,$A3)"
    assert [rows[one][1] for one in ("B1", "G1")] == ["scope", "kg CO2e"]
    summed = sum(float(rows[f"G{at}"][1]) for at in range(2, 12) if rows[f"B{at}"][1] == scopes["A3"][1])
    assert summed == pytest.approx(float(scopes["B3"][1])) == pytest.approx(3104.64)
    head = {text: re.sub(r"\d", "", ref) for ref, (_, text) in balance.items() if re.fullmatch("[A-Z]1", ref)}
    assert [float(balance[f"{head[name]}2"][1]) for name in ("check", "closure error")] == [360, 360]
    formulas = [formula for formula, value in book["Totals"].values() if formula and float(value or 0) == 7200]
    column = head["import"]
    assert f"SUMIFS('Balance'!${column}$2:${column}$5," in formulas[0]


def test_cities_stand_side_by_side_and_what_cannot_be_compared_says_why(
    run: RunHere, folder: Path, tmp_path: Path
) -> None:
    own = SETTINGS.replace("[city]", "[city]\nresidents = 10")
    (folder / "city.toml").write_text(own + OWN + PIN + PLANT, encoding="utf-8")
    made(tmp_path / "other", ledger=OWN.replace('gwp = "AR5"\nby', 'gwp = "SAR"\nby'), left_out=("homes-gas",)).close()
    code, out, err = run("report", "compare", str(folder), str(tmp_path / "other"), *SPAN, "--format", "json")
    assert code == 0, err
    rows = {one["measure"]: one["values"] for one in json.loads(out)["rows"]}
    one, other = rows["electricity consumption per head"]
    assert (one["value"], one["coverage"], other["value"]) == (1188, 1, None)
    assert other["reason"] == "residents is not stated"
    assert rows["gas consumption"][1]["value"] is None
    assert "weighed differently" in rows["emissions scope 1 and 2"][0]["reason"]
    assert "factors of their own" in err
    assert run("report", "compare", str(folder), *SPAN)[0] == 2


def test_what_is_no_bundle_or_no_new_folder_is_refused_and_left_alone(
    run: RunHere, folder: Path, tmp_path: Path
) -> None:
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "note").write_text("mine")
    code, _, err = run("report", "build", *SPAN, "--city", str(folder), "--out", str(tmp_path / "full"))
    assert (code, (tmp_path / "full" / "note").read_text()) == (2, "mine")
    assert "not empty" in err
    with pytest.raises(BadInput, match="no report's bundle"):
        read_bundle(tmp_path / "full")
    (tmp_path / "full" / BUNDLE).write_bytes(b"{")
    with pytest.raises(BadInput, match="cannot be read"):
        read_bundle(tmp_path / "full")
    out = tmp_path / "cut"
    words = ("--from", "2022-03-28T05:00:00+09:00", "--to", "2022-03-31", "--out", str(out))
    assert run("report", "build", *words, "--city", str(folder))[0] == 2
    assert not (out / BUNDLE).exists()


def test_without_the_font_nothing_stands_in_for_it(tmp_path: Path) -> None:
    with pytest.raises(CityError, match=r"NanumGothic\.ttf") as caught:
        font_folder(tmp_path)
    assert caught.value.code == "no_font"


@pytest.mark.parametrize(
    ("said", "span"),
    [
        (("2025", None, None), ("2025-01", "2026-01")),
        (("2025-12", None, None), ("2025-12", "2026-01")),
        (("2025-03", None, None), ("2025-03", "2025-04")),
        ((None, "2025-03-02", "2025-05"), ("2025-03-02", "2025-05")),
    ],
)
def test_a_period_is_a_year_a_month_or_a_range(said: tuple[str | None, ...], span: tuple[str, str]) -> None:
    assert span_said(*said) == span


@pytest.mark.parametrize(
    "said", [("2025", "2025-01", None), (None, "2025", None), ("25", None, None), ("2025-13", None, None)]
)
def test_what_is_no_period_is_refused(said: tuple[str | None, ...]) -> None:
    with pytest.raises(UsageError, match="period"):
        span_said(*said)
