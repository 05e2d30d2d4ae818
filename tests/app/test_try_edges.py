"""Each rule tried through the command line: a case that it refuses, and the case at its very edge."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from quintet.app.cli import build
from quintet.app.door import guarded

from .conftest import Run, RunHere

Try = Callable[[str], dict[str, Any]]
ONES = ",".join(["1"] * 24)


def hours(count: int) -> str:
    """Give so many hours of one litre."""
    return ",".join(["0.001"] * count)


@pytest.fixture(scope="module")
def program() -> Any:
    """Give the command line, built once."""
    return build()


@pytest.fixture
def tried(program: Any, capsys: pytest.CaptureFixture[str]) -> Try:
    """Run `vee try --rule WORDS` and read what it prints."""

    def tried(words: str) -> dict[str, Any]:
        line = ["vee", "try", "--rule", *words.split(" "), "--format", "json"]
        assert guarded(lambda: program(line, exit_on_error=False, print_error=False)) == 0
        out = capsys.readouterr()
        assert out.err == ""
        return json.loads(out.out)

    return tried


EDGES = [
    # rule and options                                                     refused, at the edge: value and verdict
    ("V01 --interval 15min --offset", ("15min", "fail"), ("899.999999s", "flag")),
    ("V01 --interval 15min --offset", ("-180000001us", "flag"), ("-3min", "pass")),
    ("V01 --interval 60min --offset", ("3300000001us", "fail"), ("55min", "flag")),
    ("V01 --interval 1day --offset", ("59min", "fail"), ("55min", "flag")),
    ("V03 --start 2025-03-30 --tz Europe/London --values", (ONES[:-4], "fail"), (ONES[:-2], "pass")),
    ("V04 --start 2025-03-30 --tz Europe/London --values", (ONES, "fail"), (ONES[:-2], "pass")),
    ("V04 --start 2025-10-26 --tz Europe/London --values", (f"{ONES},1,1", "fail"), (f"{ONES},1", "pass")),
    ("V05 --flags", ("memory_error", "fail"), ("low_battery", "pass")),
    ("V06 --register 1000,1006 --multiplier 40 --values", ("320.000001", "fail"), ("320", "pass")),
    ("V06 --register 1000,1006 --multiplier 40 --values", ("159.999999", "fail"), ("160", "pass")),
    ("V06 --register 99998,4 --dials 5 --multiplier 40 --values", ("320.000001", "fail"), ("320", "pass")),
    ("V07 --values", ("2.800001,1,1", "fail"), ("2.8,1,1", "pass")),
    ("V07 --values", ("5.600000000001,2,2", "fail"), ("5.6,2,2", "pass")),
    ("V07 --interval 5min --values", ("0.1,0.280001,0.1,0.1", "fail"), ("0.1,0.28,0.1,0.1", "pass")),
    ("V07 --values", ("0.5,0.1,0.1", "fail"), ("0.499999,0.1,0.1", "skip")),
    ("V07 --commodity water --values", ("1,0.1,0.1", "fail"), ("0.999999,0.1,0.1", "skip")),
    ("V08 --interval 1day --before 10 --year-before 10 --values", ("20.000001", "fail"), ("20", "pass")),
    ("V08 --interval 1day --before 10 --year-before 10 --values", ("4.999999", "fail"), ("5", "pass")),
    ("V08 --interval 1day --values 21 --before 10 --year-before", ("10.499999", "fail"), ("10.5", "pass")),
    ("V09 --before 2,1 --year-before 1,2 --values", ("1,4.000001", "fail"), ("1,4", "pass")),
    ("V09 --before 2,1 --year-before 1,2 --values", ("0.999999,0", "fail"), ("1,0", "pass")),
    ("V10 --interval 6h --values", ("0,0,0,0", "fail"), ("0,0,0,0.000001", "pass")),
    ("V10 --interval 6h --values", ("9,0,0,0,0,0,0,0", "fail"), ("0,0,0", "skip")),
    ("V11 --values", ("0,0.000001", "fail"), ("0,0", "pass")),
    ("V12 --values", ("-0.000001", "fail"), ("0", "pass")),
    ("V12 --commodity gas --values", ("-0.000001", "fail"), ("0", "pass")),
    ("V12 --dials 5 --register", ("95000,5000", "fail"), ("95000,4999.999999", "pass")),
    ("V12 --dials 5 --plate-max 20000 --register", ("90000,1", "fail"), ("90000.000001,1", "pass")),
    ("V12 --dials 5 --register 99990,10 --plate-max", ("20", "fail"), ("20.000001", "pass")),
    ("V12 --dials 5 --register 99990,,10 --plate-max", ("10", "fail"), ("10.000001", "pass")),
    ("V13 --reactive 0 --values", ("0.300001", "fail"), ("0.3", "pass")),
    ("V14 --values", ("0.2,20.200001", "fail"), ("0.2,20.2", "pass")),
    ("V14 --values", ("0.1,20.1", "fail"), ("0.1,20.099999", "pass")),
    ("V15 --register", ("1000,1010,1120.000001", "fail"), ("1000,1010,1120", "pass")),
    ("V15 --dials 5 --register", ("99980,99990,100.000001", "fail"), ("99980,99990,100", "pass")),
    ("V16 --interval 15min --plate-max 20 --values", ("5.000001", "fail"), ("5", "pass")),
    ("V16 --interval 15min --plate-max 20 --values", ("-5.000001", "fail"), ("-5", "pass")),
    ("V17 --check 100 --values", ("101.500001", "fail"), ("101.5", "pass")),
    ("V17 --check 100 --values", ("98.499999", "fail"), ("98.5", "pass")),
    ("V17 --check 100 --class 0.123456789 --values", ("100.1851851836", "fail"), ("100.1851851835", "pass")),
    ("V18 --values", (ONES, "fail"), (ONES[:-2], "pass")),
    ("V18 --values", (f"2,{ONES}", "fail"), (f"{ONES[:-2]},,1", "pass")),
    ("V19 --values", ("5,5.000001", "flag"), ("5,5.0", "pass")),
    ("V20 --interval 1day --values", ("1" + "," * 9 + "2", "fail"), ("1" + "," * 8 + "2", "pass")),
    ("V20 --days", ("7.5", "fail"), ("7", "pass")),
    ("W01 --values", (hours(72), "fail"), (hours(71), "flag")),
    ("W01 --values", (hours(24), "flag"), (hours(23), "skip")),
    ("W01 --values", (f"0,{hours(24)}", "flag"), (f"0,{hours(23)},0", "pass")),
    ("H01 --interval 1day --values 116.3 --delta-t 10 --volume", ("9.499999", "fail"), ("9.5", "pass")),
    ("H01 --interval 1day --values 116.3 --volume 1 --delta-t", ("3", "fail"), ("2.9999999", "skip")),
    ("G01 --pressure 101.325 --temperature 0C --volume 100 --values", ("101.000001", "fail"), ("101", "pass")),
    ("G01 --temperature 273.15 --volume 100 --values 101 --pressure", ("101.32499999", "fail"), ("101.325", "pass")),
    ("G01 --pressure 101.325 --volume 100 --values 101 --temperature", ("273.1500001K", "fail"), ("273.15K", "pass")),
]  # fmt: skip


@pytest.mark.parametrize(("words", "refused", "edge"), EDGES)
def test_each_rule_refuses_a_case_and_holds_its_edge(
    tried: Try, words: str, refused: tuple[str, str], edge: tuple[str, str]
) -> None:
    code = words.split(" ")[0]
    for value, verdict in (refused, edge):
        found = tried(f"{words} {value}")
        assert (found["rule"], found["verdict"], value) == (code, verdict, value)
        assert bool(found["at"]) == (verdict in ("fail", "flag"))
        assert bool(found["why"]) == (verdict == "skip")
        assert {"commodity", "role", "unit", "judged_by"} <= found.keys()


def test_every_rule_of_the_list_has_its_edge_here() -> None:
    codes = {words.split(" ")[0] for words, *_ in EDGES}
    assert codes == {f"V{n:02d}" for n in range(1, 21) if n != 2} | {"W01", "H01", "G01"}


def test_the_program_itself_says_the_same(quintet: Run) -> None:
    for words, refused, edge in (EDGES[0], EDGES[11], EDGES[26]):
        for value, verdict in (refused, edge):
            done = quintet("vee", "try", "--rule", *words.split(" "), value, "--format", "json")
            assert (done.returncode, done.stderr) == (0, "")
            assert json.loads(done.stdout)["verdict"] == verdict


@pytest.mark.parametrize(
    ("words", "lacking"),
    [
        ("V01", "--offset"),
        ("V05 --values 1", "--flags"),
        ("V06 --values 1", "--register"),
        ("V06 --values 1 --register 5", "needs at least 2 readings in --register; there is 1."),
        ("V06 --values 1 --register 1,2,null", "The register's first or last reading is missing."),
        ("V08 --values 1 --before 2", "--year-before"),
        ("V09 --values 1", "--before"),
        ("V12 --register 5", "at least 2 readings"),
        ("V13 --values 1", "--reactive"),
        ("V15 --register 1,,3,null", "V15 needs at least 3 readings"),
        ("V15", "--register"),
        ("V16 --values 1", "--plate-max"),
        ("V17 --values 1", "--check"),
        ("H01 --values 1 --volume 1", "--delta-t"),
        ("G01 --values 1", "--pressure (the gas's absolute pressure) and --temperature"),
        ("G01 --values 1 --pressure 105 --temperature 15", "--recorded"),
        ("rollback", "--register"),
        ("V19_corrected --values 1", "batches"),
        ("V19 --values null", "there is none"),
        ("D01 --interval 1day --values 5", "at least 14 days"),
        ("V10 --values 0,0,0", "no whole local day"),
        ("V12 --role net --values -1", "V12 does not apply to electricity net (energy)."),
        ("V12 --role net --commodity gas --values -1", "V12 does not apply to gas net (volume)."),
        ("W01 --commodity electricity --values 1", "W01 does not apply to electricity consumption (energy)."),
    ],
)
def test_what_is_lacking_is_skipped_and_said(tried: Try, words: str, lacking: str) -> None:
    found = tried(words)
    assert (found["verdict"], found["at"]) == ("skip", [])
    assert lacking in found["why"]


def test_an_empty_place_of_a_register_keeps_its_time(tried: Try) -> None:
    assert tried("V15 --register 100,110,,130,140,10000")["at"] == [5]
    assert tried("V12 --register 100,,90")["at"] == [2]
    rolled = tried("V06 --values 100,,40 --register 99990,,10,20 --dials 5")
    assert (rolled["verdict"], rolled["rollovers"]) == ("skip", 1)
    rolled = tried("V06 --values 10,10,11 --register 99990,,10,20 --dials 5")
    assert (rolled["verdict"], rolled["register_total"], rolled["delta"]) == ("pass", 30, 1)


def test_roles_and_media_are_those_that_were_said(tried: Try) -> None:
    for words, kind in (
        ("V12 --values -1", ("electricity", "consumption", "V12_reverse")),
        ("V12 --values -1 --commodity gas", ("gas", "consumption", "V12_negative")),
        ("V12 --values -1 --commodity gas --role export", ("gas", "export", "V12_reverse")),
        ("V12 --values -1 --role import", ("electricity", "import", "V12_reverse")),
        ("V12 --values -1 --role net", ("electricity", "net", "V12_negative")),
        ("W01 --values 1", ("water", "consumption", "W01")),
        ("H01 --values 1", ("heat", "consumption", "H01")),
        ("V07 --values 1 --unit m3", ("gas", "consumption", "V07")),
    ):
        found = tried(words)
        assert (found["commodity"], found["role"], found["judged_by"]) == kind


def test_conditions_are_exact(tried: Try) -> None:
    words = "G01 --values 1 --pressure 101.3250001 --temperature 14.99999C --compressibility 0.99812345"
    found = tried(words)
    assert (found["pressure_kpa"], found["temperature_k"]) == (101.3250001, 288.14999)
    assert found["compressibility"] == 0.99812345
    assert tried("G01 --values 1 --pressure 100 --temperature 149")["temperature_k"] == 422.15
    assert tried("G01 --values 1 --pressure 100 --temperature 150")["temperature_k"] == 150


def test_what_is_finer_than_a_sub_unit_counts(tried: Try) -> None:
    assert tried("V11 --values 0.0000000001")["verdict"] == "fail"
    assert tried("V07 --values 0.30000000000000004,1000.123456789,0.1")["p1"] == 1000.123456789


def test_history_and_a_file_give_what_looks_back_its_weeks(tried: Try, run: RunHere, tmp_path: Path) -> None:
    past = ",".join(["10"] * 14)
    assert tried(f"D01 --interval 1day --values 100 --history {past}")["at"] == [0]
    assert tried(f"D01 --interval 1day --values 10,100 --history {past}")["at"] == [1]
    assert tried(f"Z01 --interval 1day --values 0,0,0 --history {past},10,10")["verdict"] == "fail"
    assert tried(f"D03 --interval 1day --values 99,99,99 --history {past},10,10,10,10")["at"] == [0, 1, 2]
    step = ",".join(f"0.0{n % 7 + 1}" for n in range(24 * 14))
    assert tried(f"Q01 --values {','.join(['0.0137'] * 24)} --history {step}")["verdict"] == "fail"
    table = tmp_path / "days.csv"
    table.write_text("day,value,note\n" + "".join(f"{n},10,x\n" for n in range(15)) + "15,,x\n16,100,x\n", "utf-8")
    code, out, _ = run("vee", "try", "--rule", "D01", "--interval", "1day", "--file", str(table), "--format", "json")
    assert (code, json.loads(out)["at"]) == (0, [16])
    line = tmp_path / "line.csv"
    line.write_text("75\n\n\n\n\n100\n104\n".replace("\n\n", '\n""\n').replace("\n\n", '\n""\n'), "utf-8")
    code, out, _ = run("vee", "try", "--estimate", "linear", "--file", str(line), "--format", "json")
    assert json.loads(out)["values"] == [75, 80, 85, 90, 95, 100, 104]
