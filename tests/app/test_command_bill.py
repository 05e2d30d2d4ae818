"""`quintet bill` as others script against it: without a city, exact, and never a made-up number."""

import csv
import io
import json
import re
import shlex
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from quintet.app.bill_refusals import GENERAL, forms
from quintet.app.cli import build
from quintet.app.door import Failure, guarded
from quintet.terms.catalogue import read_toml

Run = Callable[..., tuple[int, str, str]]
POWER = ("--commodity", "electricity", "--contract", "low_voltage")
HANGUL = re.compile("[가-힣]")
ENGLISH = GENERAL.partition("(")[2].partition(":")[0]
LOW = "--contract low_voltage --use 5kWh"


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Run:
    """Run the command line here; gives exit code, stdout, stderr."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("QUINTET_CITY", raising=False)

    def run(*words: str) -> tuple[int, str, str]:
        outcome = guarded(lambda: build()(["bill", *words], exit_on_error=False, print_error=False))
        out = capsys.readouterr()
        if isinstance(outcome, Failure):
            return outcome.exit_code, out.out, f"{outcome.line()}\n"
        return outcome, out.out, out.err

    return run


def test_a_bill_as_json(run: Run) -> None:
    code, out, err = run("compute", *POWER, "--use", "223 kWh", "--month", "2025-10", "--format", "json")
    assert (code, err) == (0, "")
    bill = json.loads(out)
    amounts = {line["item"]: line["amount_won"] for line in bill["lines"]}
    assert amounts == {
        "base": 1600, "energy": 28935, "climate": 2007, "fuel_adj": 1115, "vat": 3366, "fund": 900, "rounding": -3,
    }  # fmt: skip
    assert (bill["subtotal_won"], bill["total_won"], bill["complete"]) == (33657, 37920, True)
    assert sum(amounts.values()) == bill["total_won"]
    assert all(isinstance(won, int) for won in (*amounts.values(), bill["total_won"]))
    energy = bill["lines"][1]
    assert (energy["quantity"], energy["unit"], energy["name_ko"]) == (223, "kWh", "전력량요금")
    assert [block["unit_price"] for block in energy["parts"][0]["blocks"]] == [120, 214.6]
    assert bill["card"] == "kepco_residential_lv_2023_05"
    assert bill["source"] == bill["cards"][0]["source"] != ""
    assert {levy["id"] for levy in bill["levies"]} == {"climate_2023", "fuel_2022_07", "vat", "fund_27"}


def test_a_bill_as_csv_and_table(run: Run) -> None:
    asked = ("compute", *POWER, "--use", "400 kWh", "--month", "2025-10")
    rows = list(csv.DictReader(io.StringIO(run(*asked, "--format", "csv")[1])))
    assert [row["item"] for row in rows] == [
        "base",
        "energy",
        "climate",
        "fuel_adj",
        "vat",
        "fund",
        "rounding",
        "total",
    ]
    assert rows[-1]["amount_won"] == "83530"
    code, out, _ = run(*asked, "--format", "table")
    assert code == 0
    assert "83,530" in out
    assert "kepco_residential_lv_2023_05" in out


@pytest.mark.parametrize(
    ("contract", "total"),
    [("low_voltage", 57760), ("apartment_total", 57760), ("high_voltage", 49420), ("apartment_single", 49420)],
)
def test_the_contracts(run: Run, contract: str, total: int) -> None:
    words = ("compute", "--contract", contract, "--use", "300 kWh", "--month", "2025-10", "--format", "json")
    assert json.loads(run(*words)[1])["total_won"] == total


def test_days_instead_of_a_month_are_prorated_and_say_so(run: Run) -> None:
    days = ("--from", "2025-06-16", "--to", "2025-07-16")
    code, out, err = run("compute", *POWER, "--use", "300 kWh", *days, "--format", "json")
    assert code == 0
    assert json.loads(out)["total_won"] == 52170
    assert "15 from 2025-06-16, 15 from 2025-07-01" in err
    month = run("compute", *POWER, "--use", "300 kWh", "--from", "2025-10-01", "--to", "2025-11-01", "--format", "json")
    assert json.loads(month[1])["total_won"] == 57760


@pytest.mark.parametrize(
    ("words", "total"),
    [
        (["--commodity", "water", "--city", "ansan", "--pipe-mm", "13", "--use", "50 m3", "--month", "2026-02"], 60570),
        (["--commodity", "gas", "--city", "changwon", "--use", "180 m3", "--month", "2009-01"], 145080),
        (
            ["--commodity", "gas", "--use", "30 m3", "--calorific", "42.7", "--unit-price", "22.4", "--base-won",
             "1000", "--month", "2025-01"],
            32660,
        ),
        (["--commodity", "heat", "--use", "1 Gcal", "--area-m2", "85", "--month", "2021-01"], 76650),
        (
            ["--commodity", "heat", "--branch", "ansan", "--use", "1000 Mcal", "--area-m2", "85", "--month", "2024-01"],
            116620,
        ),
        (
            ["--commodity", "hot_water", "--use", "5 m3", "--unit-price", "4000", "--base-won", "0", "--month",
             "2025-01"],
            22000,
        ),
    ],
)  # fmt: skip
def test_every_commodity(run: Run, words: list[str], total: int) -> None:
    code, out, _ = run("compute", *words, "--format", "json")
    assert code == 0
    bill = json.loads(out)
    assert (bill["total_won"], bill["complete"]) == (total, True)
    assert sum(line["amount_won"] for line in bill["lines"]) == pytest.approx(total)


def test_what_is_missing_is_said_and_no_zero(run: Run) -> None:
    code, out, err = run(
        "compute", "--commodity", "heat", "--use", "1000 Mcal", "--month", "2021-01", "--format", "json"
    )
    bill = json.loads(out)
    assert (code, bill["complete"], bill["lacks"]) == (0, False, ["--area-m2"])
    assert bill["lines"][0]["amount_won"] is None
    assert "not the whole bill" in err
    seasonal = ("--contract", "residential_seasonal", "--area-m2", "85", "--month", "2021-01")
    assert "from memory" in run("compute", "--commodity", "heat", "--use", "9 Mcal", *seasonal)[2]
    _, _, water = run("compute", "--commodity", "water", "--city", "ansan", "--use", "1 m3", "--month", "2025-10")
    assert "undated" in water


@pytest.mark.parametrize(
    ("words", "code", "says"),
    [
        ("--contract low_voltage --use 5kWh --month 2026-10", 1, "has not been published yet"),
        ("--contract low_voltage --use 5kWh --month 2031-10", 1, "has not been published yet"),
        ("--contract low_voltage --use 5kWh --month 2019-10", 1, "no rate card is known for 2019-10-01"),
        ("--contract medium --use 5kWh --month 2025-10", 2, "--contract: 'medium' is not known. Known:"),
        ("--use 5kWh --month 2025-10", 2, "--contract: is needed"),
        ("--contract low_voltage --use 5m3 --month 2025-10", 2, "--use: m3 is no unit in which electricity is billed"),
        ("--contract low_voltage --use -5kWh --month 2025-10", 2, "--use: is below zero"),
        ("--contract low_voltage --use 5 --month 2025-10", 2, "no amount with a unit"),
        ("--contract low_voltage --use 5kWh --month 2025-13", 2, "--month: '2025-13' is no month"),
        ("--contract low_voltage --use 5kWh", 2, "needs either --month, or --from and --to"),
        ("--contract low_voltage --use 5kWh --month 2025-10 --from 2025-10-01", 2, "needs either"),
        ("--contract low_voltage --use 5kWh --from 2025-10-01", 2, "go together"),
        ("--contract low_voltage --use 5kWh --from 2025-10-01 --to 2025-10-xx", 2, "--to: '2025-10-xx' is no day"),
        ("--contract low_voltage --use 5kWh --month 2025-10 --common-won -1", 2, "--common-won: is below zero"),
        ("--commodity gas --use 5m3 --month 2025-10", 2, "--city: is needed"),
        ("--commodity hot_water --use 5m3 --month 2025-10", 1, "no rate card for hot_water is known"),
        ("--commodity wine --use 5m3 --month 2025-10", 2, "unknown commodity 'wine'"),
        ("--contract low_voltage --use 5kWh --month 2025-10 --cards none.toml", 1, "none.toml"),
    ],
)
def test_bad_input_names_place_and_remedy(run: Run, words: str, code: int, says: str) -> None:
    found, out, err = run("compute", *words.split())
    assert (found, out) == (code, "")
    assert says in err
    assert "unforeseen" not in err


def test_own_cards_from_a_file(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "own.toml"
    shipped = read_toml("quintet.tariffs", "water.toml")["card"]["ansan_water"]
    charge = shipped["charge"][2]
    head = {name: value for name, value in shipped.items() if name != "charge"} | {"city": "naju", "source": "a test"}

    def written(row: dict[str, Any]) -> str:
        return "".join(f"{name} = {json.dumps(value, ensure_ascii=False)}\n" for name, value in row.items())

    path.write_text(
        f"[card.naju_water]\n{written(head)}[[card.naju_water.charge]]\n{written(charge)}", encoding="utf-8"
    )
    words = ("--commodity", "water", "--city", "naju", "--use", "10 m3", "--month", "2025-10", "--cards", str(path))
    assert json.loads(run("compute", *words, "--format", "json")[1])["total_won"] == 1700
    path.write_text(path.read_text(encoding="utf-8").replace('source = "a test"\n', ""), encoding="utf-8")
    code, out, err = run("compute", *words)
    assert (code, out) == (1, "")
    assert "own.toml, card naju_water: lacks source" in err


def test_tiers_and_less(run: Run) -> None:
    words = ("tiers", *POWER, "--use", "337 kWh", "--month", "2025-10", "--less", "37 kWh", "--format", "json")
    code, out, _ = run(*words)
    found = json.loads(out)
    assert code == 0
    assert [found["tiers"][0][key] for key in ("tier", "left", "next_price")] == [2, 63, 307.3]
    assert (found["next_unit_won"], found["less"]["then_won"]) == (250, 57760)
    assert run("tiers", *POWER, "--use", "3 kWh", "--month", "2025-10", "--less", "1 MWh")[0] == 2
    other_unit = (*words[:-3], "37000 Wh", *words[-2:])
    assert json.loads(run(*other_unit)[1])["less"] == found["less"]
    assert "--less: is in m3, the use in kWh." in run(*words[:-3], "1 m3")[2]
    heat = ("tiers", "--commodity", "heat", "--use", "3 Mcal", "--month", "2021-01")
    assert "no tiers" in run(*heat)[2]


def test_a_reduction_and_a_card_that_is_not_published(run: Run) -> None:
    words = ("compute", *POWER, "--use", "337 kWh", "--format", "json")
    code, out, _ = run(*words, "--month", "2025-08", "--relief", "basic_living")
    bill = json.loads(out)
    assert (code, bill["total_won"], bill["relief"]["id"]) == (0, 34090, "basic_living")
    assert next(line["amount_won"] for line in bill["lines"] if line["item"] == "relief") == -20000
    assert run(*words, "--month", "2026-11")[0] == 1
    code, out, err = run(*words, "--month", "2026-11", "--provisional")
    assert (code, json.loads(out)["provisional"], "PROVISIONAL" in err) == (0, True, True)
    card = json.loads(out)["cards"][0]
    assert (card["in_force_until"], card["taken_until"]) == ("2026-09-30", "2027-10-01")
    plain = json.loads(run(*words, "--month", "2025-08")[1])["cards"][0]
    assert (plain["in_force_until"], plain["taken_until"]) == ("2026-09-30", None)
    code, _, err = run(*words, "--month", "2025-08", "--relief", "rich")
    assert (code, "large_family" in err) == (2, True)


def test_a_bill_asked_in_korean_forms_is_the_same_bill(run: Run) -> None:
    plain = ("compute", *POWER, "--use", "1,223 kWh", "--month", "2025-02", "--format", "json")
    korean = (
        "compute",
        "--commodity",
        "전기",
        "--contract",
        "주택용(저압)",
        "--use",
        "1 223㎾h",
        "--month",
        "2025년 2월",
    )
    assert run(*korean, "--format", "json")[1] == run(*plain)[1]
    days = ("compute", *POWER, "--use", "300kWh", "--from", "2025/6/16", "--to", "2025년 7월 16일", "--format", "json")
    assert json.loads(run(*days)[1])["days"] == 30
    water = (
        "compute",
        "--commodity",
        "수도",
        "--city",
        "안산시",
        "--pipe-mm",
        "13mm",
        "--use",
        "50㎥",
        "--month",
        "2025-3",
    )
    assert json.loads(run(*water, "--format", "json")[1])["total_won"] == 60570
    volume = ("--contract", "부피 요금", "--unit-price", "728.59", "--base-won", "750원", "--use", "180 m3")
    gas = run("compute", "--commodity", "도시가스", *volume, "--month", "2009-01", "--format", "json")
    assert json.loads(gas[1])["total_won"] == 145080


def test_names_notes_and_sources_in_korean(run: Run) -> None:
    words = ("compute", "--commodity", "heat", "--use", "3 Mcal", "--month", "2024-08", "--language", "ko")
    code, out, err = run(*words)
    assert (code, "기억에 따른 값이 있으니" in err, "--area-m2 값을 주십시오" in err) == (0, True, True)
    assert ("한국지역난방공사" in out + err, "국민일보 kmib.co.kr" in out + err) == (True, True)
    bill = json.loads(run(*words, "--format", "json")[1])
    assert bill["source_ko"] == bill["cards"][0]["source_ko"] != bill["source"]
    rows = list(csv.DictReader(io.StringIO(run("cards", "--language", "ko", "--format", "csv")[1])))
    assert all(
        any("가" <= letter <= "힣" for letter in row["source_ko"]) for row in rows if "levy" not in row["commodity"]
    )
    code, _, err = run(
        "tiers", *POWER, "--use", "337 kWh", "--month", "2025-10", "--less", "37 kWh", "--language", "ko"
    )
    assert (code, "1kWh 더 쓰면" in err) == (0, True)
    assert run(*words[:-1], "fr")[0] != 0
    use = ("--use", "137 kWh", "--month", "2025-10", "--language", "ko")
    assert "2단계까지 63kWh 남았으며, 이 속도라면 2025-10-21에" in run("pace", *POWER, *use, "--day", "14")[2]
    assert "에너지캐시백: 기본 30원" in run("incentives", *use, "--before", "150 kWh")[2]


def test_the_card_that_the_documentation_shows_is_one(run: Run, tmp_path: Path) -> None:
    text = (Path(__file__).parents[2] / "docs" / "bills.md").read_text(encoding="utf-8")
    block = text.split("```toml\n")[1].split("```")[0]
    (tmp_path / "own.toml").write_text(block, encoding="utf-8")
    words = block.partition("# quintet bill ")[2].partition("\n")[0].replace("FILE", "own.toml")
    code, out, _ = run(*shlex.split(words), "--format", "json")
    bill = json.loads(out)
    assert (code, bill["total_won"], bill["complete"]) == (0, (20 * 500 + 10 * 800 + 27 * 1100 + 1900) // 10 * 10, True)


def test_the_television_fee_and_two_reductions(run: Run) -> None:
    words = ("compute", *POWER, "--use", "300 kWh", "--month", "2025-10", "--format", "json")
    plain = json.loads(run(*words)[1])
    assert plain["fee"] is None
    code, out, err = run(*words, "--tv-fee", "--relief", "large_family", "--relief", "near_poor")
    bill = json.loads(out)
    won = {line["item"]: line["amount_won"] for line in bill["lines"]}
    assert (code, won["relief"], won["relief_2"], won["tv_fee"]) == (0, -8000, -12978, 2500)
    assert sum(won.values()) == bill["total_won"]
    assert [one["id"] for one in bill["reliefs"]] == ["near_poor", "large_family"]
    assert ("none below 50 kWh" in err, "Two reductions" in err) == (True, True)
    code, _, err = run(*words, "--relief", "large_family", "--relief", "newborn")
    assert (code, "combines with one of" in err) == (2, True)


def test_the_pace_names_the_day_of_the_next_tier(run: Run) -> None:
    words = ("pace", *POWER, "--use", "137 kWh", "--day", "14", "--month", "2025-10")
    code, out, err = run(*words, "--format", "json")
    found = json.loads(out)
    assert (code, found["tiers"][0]["left"], found["crossings"][0]["day"]) == (0, 63, "2025-10-21")
    assert "63 kWh left before tier 2, on 2025-10-21 at this pace" in err
    assert run(*words[:-4], "--day", "32", "--month", "2025-10")[0] == 2
    month = ("--use", "1 kWh", "--month", "2025-10", "--format", "json")
    code, out, _ = run("budget", *POWER, *month, "--budget", "83,530")
    assert (code, json.loads(out)["most_use"]) == (0, 400)
    assert run("budget", *POWER, *month, "--budget", "500")[0] == 2


def test_incentives(run: Run) -> None:
    before = ("--before", "350 kWh", "--before", "340 kWh", "--month", "2025-10", "--format", "json")
    code, out, err = run("incentives", "--use", "300 kWh", *before)
    cash, points = json.loads(out)["incentives"]
    assert (code, cash["won"], cash["one_more_percent_won"], points["won"]) == (0, 3600, 276, 10000)
    assert "not known here" in err
    days = [word for number in range(10) for word in ("--before", f"{10 + number} kWh")]
    code, out, _ = run("incentives", "--use", "13 kWh", "--program", "response", *days, "--format", "json")
    (found,) = json.loads(out)["incentives"]
    assert (code, found["baseline"], found["won"]) == (0, 14.5, 1000)
    for words, says in (
        (("--use", "3 kWh", "--commodity", "heat", "--before", "3 kWh"), "not covered"),
        (("--use", "3 kWh"), "not known"),
        (("--use", "3 kWh", "--before", "3 m3"), "--before: is in m3"),
        (("--use", "3 kWh", "--program", "luck"), "no incentive"),
        (("--use", "3 kWh", "--program", "response", "--before", "3 kWh"), "10 are wanted"),
    ):
        code, out, err = run("incentives", *words)
        assert (code != 0, out, says in err) == (True, "", True), err


def test_cards_list_their_sources_and_dates(run: Run) -> None:
    code, out, _ = run("cards", "--format", "csv")
    rows = list(csv.DictReader(io.StringIO(out)))
    assert code == 0
    assert all(row["source"] and row["published_on"] and row["in_force_from"] and row["certainty"] for row in rows)
    held = json.loads(run("cards", "--on", "2025-07-01", "--commodity", "electricity", "--format", "json")[1])
    assert {card["id"] for card in held["cards"]} == {
        "kepco_residential_lv_2023_05", "kepco_residential_hv_2023_05", "kr_electricity_stated",
        *(f"kepco_general_{name}_2023_05" for name in ("low", "high_a1", "high_a2")),
    }  # fmt: skip
    assert "fund_27" in {levy["id"] for levy in held["levies"]}
    assert "fund_32" not in {levy["id"] for levy in held["levies"]}
    assert run("cards", "--on", "yesterday")[0] == 2


@pytest.mark.parametrize(
    ("words", "code", "says"),
    [
        (f"compute {LOW} --month 2026-10", 1, "2026-10-01의 요금표가 없습니다. 아직 공표되지 않았거나"),
        (f"compute {LOW} --month 2026-10", 1, "2023-05-16~2026-09-30"),
        (f"compute {LOW} --month 2019-10", 1, "2019-10-01의 요금표가 없습니다. 알려진"),
        ("compute --contract medium --use 5kWh --month 2025-10", 2, "--contract: 그런 계약이 없습니다: medium."),
        ("compute --use 5kWh --month 2025-10", 2, "--contract: 계약을 지정해야 합니다."),
        ("compute --commodity gas --use 5m3 --month 2025-10", 2, "--city: 어느 도시의 요금표인지"),
        ("compute --commodity water --city 서울 --use 5m3 --month 2025-10", 2, "그런 도시의 요금표가 없습니다: 서울."),
        ("compute --commodity hot_water --use 5m3 --month 2025-10", 1, "--unit-price와 --base-won"),
        ("compute --commodity wine --use 5m3 --month 2025-10", 2, "그런 요금이 없습니다: wine."),
        ("compute --contract low_voltage --use 5m3 --month 2025-10", 2, "이 요금표의 단위: kWh."),
        ("compute --commodity hot_water --use 5kWh --month 2025-10 --unit-price 9", 2, "residential_by_heat"),
        ("compute --contract low_voltage --use -5kWh --month 2025-10", 2, "사용량이 0보다 작아"),
        ("compute --contract low_voltage --use 5 --month 2025-10", 2, "단위가 붙은 양이 아닙니다: 5."),
        ("compute --contract low_voltage --use 5,5kWh --month 2025-10", 2, "수가 아닙니다: 5,5."),
        ("compute --contract low_voltage --use 5mwh --month 2025-10", 2, "어느 단위인지 분명하지 않습니다: mwh."),
        (f"compute {LOW} --month 2025-13", 2, "월이 아닙니다: 2025-13."),
        (f"compute {LOW} --from 2025-10-01 --to 2025-10-xx", 2, "날짜가 아닙니다: 2025-10-xx."),
        (f"compute {LOW} --from 2025-10-02 --to 2025-10-02", 2, "기간에 하루도 없습니다"),
        (f"compute {LOW} --from 2023-06-02 --to 2025-10-02", 2, "너무 깁니다"),
        (f"compute {LOW}", 2, "--month 하나만"),
        (f"compute {LOW} --month 2025-10 --pipe-mm 13", 2, "--pipe-mm: 이 요금표는 이 값을 쓰지 않습니다."),
        (f"compute {LOW} --month 2025-10 --relief rich", 2, "그런 할인이 없습니다: rich."),
        (f"compute {LOW} --month 2022-10 --relief large_family", 1, "모든 날에 적용되는지 알 수 없습니다."),
        (f"compute {LOW} --month 2025-10 --common-won -1", 2, "--common-won: 0보다 작을 수 없습니다."),
        (f"compute {LOW} --month 2025-10 --households 0", 2, "세대수는 1 이상"),
        ("compute --commodity gas --use 5m3 --month 2025-01 --unit-price 22", 2, "평균 열량(MJ/m3)"),
        ("compute --commodity water --city ansan --use 5m3 --month 2025-10 --pipe-mm 14", 2, "요금표에 없는 값입니다."),
        ("compute --commodity water --city gimhae --contract general --use 101m3 --month 2025-10", 1, "월 100 초과"),
        (f"tiers {LOW} --from 2025-06-16 --to 2025-07-16", 2, "2025-07-01 전까지"),
        (f"tiers {LOW} --month 2025-10 --less 9kWh", 2, "줄일 양은 0과 사용량 사이"),
        (f"pace {LOW} --month 2025-10 --day 32", 2, "--day에 지난 날의 수를"),
        (f"budget {LOW} --month 2025-10 --budget 900", 2, "전혀 쓰지 않아도 1,020원입니다."),
        ("incentives --use 5kWh --month 2025-10", 1, "기준 사용량을 알 수 없습니다."),
        ("incentives --use 5kWh --before 6kWh --month 2025-10 --program lottery", 2, "그런 제도가 없습니다: lottery."),
        ("incentives --commodity heat --use 5MJ --before 6MJ --month 2025-10", 1, "대상: electricity"),
        ("cards --on 2025-10-32", 2, "날짜가 아닙니다: 2025-10-32."),
    ],
)
def test_each_refusal_is_said_in_korean(run: Run, words: str, code: int, says: str) -> None:
    found, out, err = run(*words.split(), "--language", "ko")
    assert (found, out) == (code, "")
    assert says in err
    assert ENGLISH not in err
    again, _, english = run(*words.split())
    assert again == code
    assert not HANGUL.search(english.replace("서울", ""))


def test_what_only_english_says_stands_in_brackets(run: Run, tmp_path: Path) -> None:
    (tmp_path / "own.toml").write_text("[card.x]\nprice = 1\n", encoding="utf-8")
    code, _, err = run("compute", *LOW.split(), "--month", "2025-10", "--cards", "own.toml", "--language", "ko")
    assert code == 1
    assert ENGLISH in err
    assert "own.toml" in err


def test_a_unit_that_another_contract_bills_by_names_it(run: Run) -> None:
    words = ("compute", "--commodity", "hot_water", "--use", "0.5 MWh", "--month", "2025-01", "--unit-price", "100")
    code, _, err = run(*words)
    assert code == 2
    assert "MWh is no unit in which hot_water is billed. This rate card bills m3. Billed by MWh:" in err
    assert "--contract residential_by_heat." in err
    code, out, _ = run(*words, "--base-won", "0", "--contract", "residential_by_heat", "--format", "json")
    # 500 kWh are 500 x 3.6 / 4.1868 Mcal, at 100 won, with VAT, cut to 10 won
    assert (code, json.loads(out)["total_won"]) == (0, 47290)


def test_every_row_can_be_said() -> None:
    for code, rows in forms().items():
        assert all(HANGUL.search(one.ko) for one in rows), code
        assert len({(one.ko, one.then, one.holds) for one in rows}) == len(rows), code
