"""A city's bills: five utilities exactly, frozen with their evidence, adjusted later, never made up."""

import json
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import date
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

from quintet.access import Scope
from quintet.access.roles import roles
from quintet.access.scope import Grant
from quintet.app import requests
from quintet.app import requests_bills as bills
from quintet.app.answer import no_progress
from quintet.app.bench_bills import measure_bills
from quintet.app.city import City
from quintet.app.operations import answer_request
from quintet.tariffs import Asked, bill_month, compute
from quintet.terms.errors import BadInput, Forbidden, NotFound, UsageError
from quintet.terms.period import HOUR_US, day_start, to_us
from quintet.views.bills import dwelling_bills
from quintet.views.questions_bills import BillQuestions

from .billed_city import FIRST, FLATS, SEOUL, SETTINGS, Clock, made, send, usual

HOME = "c1/101/0101"
OCTOBER = "2025-10"
New = Callable[..., City]


@pytest.fixture
def new_city(tmp_path: Path) -> Iterator[New]:
    """Give a maker of the city with October and November 2025, looked at on 3 December."""
    with ExitStack() as stack:

        def make(
            *,
            without: tuple[str, ...] = (),
            silent: tuple[str, ...] = (),
            settings: str = SETTINGS,
            today: date = date(2025, 12, 3),
        ) -> City:
            folder = tmp_path / f"city-{len(list(tmp_path.iterdir()))}"
            out = made(folder, Clock(today), settings=settings, left_out=without)
            stack.callback(out.close)
            send(out, usual(left_out=(*without, *silent)), FIRST, 61)
            return out

        yield make


@pytest.fixture
def city(new_city: New) -> City:
    return new_city()


def ask(city: City, request: Any) -> Any:
    return answer_request(city, request, no_progress).read()


def shown(city: City, month: str = OCTOBER, place: str = HOME, **more: Any) -> dict[str, Any]:
    """Give a dwelling's bills by utility; of several stretches the first."""
    found = ask(city, bills.BillShow(place, month, **more))
    out: dict[str, Any] = {}
    for one in found["bills"]:
        out.setdefault(one["commodity"], one)
    return out | {"all": found}


def codes(bill: dict[str, Any]) -> list[str]:
    return [why["code"] for why in bill["why"]]


def test_five_utilities_are_billed_exactly_as_each_by_itself(city: City) -> None:
    found = shown(city)
    days = bill_month(OCTOBER)
    power = compute(Asked("electricity", Fraction(310), "kWh", *days, "apartment_total"))
    heat = {"unit_price": Fraction("112.32"), "base_won": Fraction(4454)}
    warmth = compute(Asked("heat", Fraction(372), "kWh", *days, options=heat))
    water = compute(Asked("water", Fraction("18.6"), "m3", *days, city="ansan", options={"pipe_mm": Fraction(13)}))
    assert (found["electricity"]["use"], found["electricity"]["total_won"]) == (310, power.total)
    assert {item["item"]: item["won"] for item in found["electricity"]["items"]} == {
        line.item: line.won for line in power.lines
    }
    assert found["heat"]["total_won"] == warmth.total
    assert found["water"]["total_won"] == water.total
    assert found["all"]["whole"]
    assert found["all"]["total_won"] == sum(one["due_won"] for one in found["all"]["bills"])
    assert all(one["coverage"] == 1 and one["estimated_share"] == 0 for one in found["all"]["bills"])
    assert {card["id"] for card in found["electricity"]["cards"]} >= {"kepco_residential_lv_2023_05", "fund_27"}


def test_a_run_says_the_same_as_each_dwelling(city: City) -> None:
    run = ask(city, bills.BillRun(OCTOBER, "city"))
    assert (run["bills"], run["issuable"], run["reasons"]) == (15, 15, {})
    for flat in FLATS:
        for one in shown(city, place=f"c1/101/{flat}")["all"]["bills"]:
            (row,) = [
                row for row in run["rows"] if (row["place"], row["commodity"]) == (one["place"], one["commodity"])
            ]
            assert (row["total_won"], row["use"], row["unit"]) == (one["total_won"], one["use"], one["unit"])


def test_a_dead_meter_has_no_amount_and_no_zero(new_city: New) -> None:
    city = new_city(silent=("0101-heat",))
    found = shown(city)
    assert (found["heat"]["due_won"], found["heat"]["items"], codes(found["heat"])) == (None, [], ["silent"])
    assert "no zero" in found["heat"]["why"][0]["en"]
    assert "0원도 아닙니다" in found["heat"]["why"][0]["ko"]
    assert (found["all"]["whole"], found["all"]["missing"]) == (False, ["heat"])
    issued = ask(city, bills.BillIssue("city", OCTOBER))
    assert (issued["issued"], issued["held"], issued["held_because"]) == (14, 1, {"silent": 1})
    assert shown(city)["heat"]["status"] == "none"
    with pytest.raises(NotFound, match="held back"):
        ask(city, bills.BillIssue(HOME, OCTOBER))


def test_a_gap_is_said_and_held_back(new_city: New) -> None:
    city = new_city(silent=("0101-water",))
    send(city, {"0101-water": 0.5}, FIRST, 20)
    found = shown(city)["water"]
    assert (codes(found), found["complete"]) == (["gaps"], False)
    assert found["coverage"] == pytest.approx(20 / 31)
    assert found["use"] == 10
    assert ask(city, bills.BillIssue("city", OCTOBER))["held_because"] == {"gaps": 1}
    send(city, {"0101-water": 0.5}, date(2025, 10, 21), 11)  # what came late can be issued later
    assert ask(city, bills.BillIssue("city", OCTOBER))["issued"] == 1


def test_a_complex_is_no_dwelling(city: City) -> None:
    for request in (bills.BillShow("c1", OCTOBER), bills.BillExplain("c1", OCTOBER), bills.BillFollow("c1", OCTOBER)):
        with pytest.raises(UsageError, match="no dwelling"):
            ask(city, request)
    with pytest.raises(NotFound):
        ask(city, bills.BillShow("c1/101/9999", OCTOBER))
    with pytest.raises(UsageError, match="no month"):
        ask(city, bills.BillRun("2025-13", "city"))


def test_a_dwelling_without_gas_lacks_nothing(new_city: New) -> None:
    found = shown(new_city(without=("0101-gas",)))
    assert (found["gas"]["absent"], found["gas"]["due_won"], codes(found["gas"])) == (True, None, ["no_meter"])
    assert found["all"]["whole"]


def test_who_moved_in_is_billed_from_that_day(city: City) -> None:
    ask(city, requests.MoveIn(HOME, "kim", "2025-10-21T15:00:00+09:00"))
    rows = [one for one in ask(city, bills.BillShow(HOME, OCTOBER))["bills"] if one["commodity"] == "electricity"]
    assert [(one["start"], one["end"], one["use"]) for one in rows] == [
        ("2025-10-01", "2025-10-21", 210), ("2025-10-21", "2025-11-01", 100),
    ], "a reading of a whole day, begun by who moved out, is his"  # fmt: skip
    late = compute(Asked("electricity", Fraction(100), "kWh", date(2025, 10, 21), date(2025, 11, 1), "low_voltage"))
    assert rows[1]["total_won"] == late.total
    assert ask(city, bills.BillIssue("city", OCTOBER))["issued"] == 20
    body = ask(city, bills.BillExplain(HOME, OCTOBER, "electricity"))
    assert "kim" not in json.dumps(body)


def test_a_tariff_that_is_not_published_is_no_number(new_city: New) -> None:
    months = {"month": "2026-11"}
    for more, why in (("", "no_card"), ("\n[bills]\nprovisional = true\n", "provisional")):
        city = new_city(settings=SETTINGS + more, today=date(2026, 12, 2))
        send(city, usual(), date(2026, 11, 1), 30)
        found = shown(city, **months)["electricity"]
        assert why in codes(found)
        assert (found["due_won"] is None) == (why == "no_card")
        assert found["provisional"] == (why == "provisional")
        assert "not been published yet" in found["detail"] or why == "provisional"
    run = ask(city, bills.BillRun("2026-11", "c1"))
    assert (run["bills"], run["reasons"]["provisional"], run["issuable"]) == (15, 3, 12)


def test_nothing_agreed_is_no_bill(new_city: New) -> None:
    city = new_city(settings="")
    assert codes(shown(city)["electricity"]) == ["not_agreed"]
    said = {"contract": "low_voltage"}
    ask(city, bills.BillAgree("c1", "electricity", said, "2025-10-16", "contract 7", "kim"))
    rows = [one for one in ask(city, bills.BillShow(HOME, OCTOBER))["bills"] if one["commodity"] == "electricity"]
    assert [(one["start"], codes(one)) for one in rows] == [("2025-10-01", ["not_agreed"]), ("2025-10-16", [])]
    terms = ask(city, bills.BillTerms(HOME, "2025-10-20"))["rows"]
    assert [(one["contract"], one["stated_at"]) for one in terms] == [("low_voltage", ["c1"])]
    assert ask(city, bills.BillTerms(HOME, "2025-10-02"))["rows"] == []
    for wrong in (
        {"contract": "medium"},
        {"card_city": "ansan"},
        {"contract": "general", "area": "3"},
        {"unit_price": "1,5"},
        {"relief": "rich"},
        {"share": "luck"},
    ):
        with pytest.raises(BadInput):
            ask(city, bills.BillAgree("c1", "electricity", wrong, None, "paper"))
    with pytest.raises(BadInput, match="source"):
        ask(city, bills.BillAgree("c1", "electricity", said, None, " "))
    with pytest.raises(NotFound):
        ask(city, bills.BillAgree("c9", "electricity", said, None, "paper"))


def test_an_issued_bill_stays_and_a_correction_is_adjusted_once(city: City) -> None:
    before = shown(city)["electricity"]
    first = ask(city, bills.BillIssue("city", OCTOBER))
    assert (first["issued"], first["due_won"]) == (15, ask(city, bills.BillRun(OCTOBER, "city"))["total_won"])
    with pytest.raises(UsageError, match="issued already") as error:
        ask(city, bills.BillIssue("city", OCTOBER))
    assert error.value.code == "already_issued"
    send(city, {"0101-electricity": 12.0}, FIRST, 5)  # 10 kWh more than was billed
    frozen = shown(city)["electricity"]
    assert (frozen["status"], frozen["use"], frozen["total_won"]) == ("issued", before["use"], before["total_won"])
    (told,) = ask(city, bills.BillExplain(HOME, OCTOBER, "electricity"))["bills"]
    assert (told["issued"]["sound"], told["now"]["use"], told["open"]["why"]) == (True, 320, ["use"])
    won = told["now"]["total_won"] - before["total_won"]
    assert told["open"]["won"] == won > 0
    second = ask(city, bills.BillIssue("city", "2025-11"))
    assert (second["issued"], second["adjustments"], second["adjusted_won"]) == (15, 1, won)
    november = shown(city, "2025-11")["electricity"]
    assert november["due_won"] == november["total_won"] + won
    assert (november["adjustments"][0]["month"], november["adjustments"][0]["was_use"]) == (OCTOBER, "310")
    assert november["adjustments"][0]["why_ko"]
    (told,) = ask(city, bills.BillExplain(HOME, OCTOBER, "electricity"))["bills"]
    assert (told["open"], told["adjusted_won"], told["adjusted_on"]) == (None, won, ["2025-11"])
    assert ask(city, requests.AuditVerify())["ok"]


def test_what_is_held_back_and_issued_later_adjusts_nothing_twice(city: City) -> None:
    """Half of November is by another contract: its second stretch is issued after the first was adjusted."""
    ask(city, bills.BillIssue("city", OCTOBER))
    send(city, {"0101-electricity": 12.0}, FIRST, 5)
    said = {"contract": "low_voltage", "relief": "large_family"}
    ask(city, bills.BillAgree(HOME, "electricity", said, "2025-11-16", "application", "kim"))
    ask(city, bills.BillAgree(HOME, "electricity", {"contract": "general"}, "2025-11-16", "slip", "kim"))
    first = ask(city, bills.BillIssue(HOME, "2025-11"))
    assert (first["issued"], first["held_because"], first["adjustments"]) == (5, {"not_possible": 1}, 1)
    ask(city, bills.BillAgree(HOME, "electricity", said, "2025-11-16", "application", "kim"))
    second = ask(city, bills.BillIssue(HOME, "2025-11"))
    assert (second["issued"], second["adjustments"], second["unsettled"], second["already"]) == (1, 0, 0, 5)


def test_a_contract_stated_late_from_a_day_within_an_issued_month_is_adjusted(city: City) -> None:
    """The same household, the same days: what both its contracts come to is on the next bill, whole."""
    ask(city, bills.BillIssue("city", OCTOBER))
    was = shown(city)["electricity"]
    ask(city, bills.BillAgree(HOME, "electricity", {"contract": "high_voltage"}, "2025-10-16", "contract 7", "kim"))
    (told,) = ask(city, bills.BillExplain(HOME, OCTOBER, "electricity"))["bills"]
    assert (told["open"]["why"], told["now"]) == (["card", "terms"], None)
    assert told["open"]["was_use"] == told["open"]["now_use"]
    # half a month of 150 kWh by each: 15 and 16 days of 31
    half = {"low_voltage": ("2025-10-01", "2025-10-16"), "high_voltage": ("2025-10-16", "2025-11-01")}
    total = 0
    for contract, days in half.items():
        start, end = (date.fromisoformat(day) for day in days)
        use = Fraction(10 * (end - start).days)
        total += int(compute(Asked("electricity", use, "kWh", start, end, contract)).total)
    assert told["open"]["won"] == total - was["total_won"] != 0
    done = ask(city, bills.BillIssue("city", "2025-11"))
    assert (done["adjustments"], done["adjusted_won"], done["unsettled"]) == (1, told["open"]["won"], 0)
    (told,) = ask(city, bills.BillExplain(HOME, OCTOBER, "electricity"))["bills"]
    assert (told["open"], told["adjusted_won"]) == (None, total - was["total_won"])


def test_corrections_of_who_moved_away_are_named(city: City) -> None:
    ask(city, bills.BillIssue("city", OCTOBER))
    send(city, {"0101-electricity": 12.0}, FIRST, 5)
    ask(city, requests.MoveIn(HOME, "lee", "2025-11-01T00:00:00+09:00"))
    done = ask(city, bills.BillIssue("city", "2025-11"))
    assert (done["adjustments"], done["unsettled"]) == (0, 1)


def test_a_move_recorded_after_the_bill_is_settled_by_people(city: City) -> None:
    ask(city, bills.BillIssue("city", OCTOBER))
    ask(city, requests.MoveIn(HOME, "lee", "2025-10-21T00:00:00+09:00"))
    rows = [one for one in ask(city, bills.BillShow(HOME, OCTOBER))["bills"] if one["commodity"] == "electricity"]
    assert [(one["start"], one["end"], one["status"]) for one in rows] == [("2025-10-01", "2025-11-01", "issued")]
    (told,) = ask(city, bills.BillExplain(HOME, OCTOBER, "electricity"))["bills"]
    assert ("days" in told["open"]["why"], "settled apart" in told["words"]) == (True, True)
    with pytest.raises(UsageError, match="issued already"):
        ask(city, bills.BillIssue(HOME, OCTOBER))
    done = ask(city, bills.BillIssue("city", "2025-11"))
    assert (done["issued"], done["adjustments"], done["unsettled"]) == (15, 0, 5)


def test_as_known_before_nothing_was_issued(city: City) -> None:
    moment = ask(city, bills.BillShow(HOME, OCTOBER))["known_at"]
    ask(city, bills.BillIssue("city", OCTOBER))
    send(city, {"0101-electricity": 12.0}, FIRST, 5)
    then = shown(city, known_at=moment)["electricity"]
    assert (then["status"], then["use"]) == ("reckoned", 310)
    assert shown(city)["electricity"]["status"] == "issued"
    with pytest.raises(NotFound):  # nobody knew of the place then
        ask(city, bills.BillShow(HOME, OCTOBER, "2025-12-03T00:00:01+09:00"))


def test_a_changed_bill_is_noticed(city: City) -> None:
    ask(city, bills.BillIssue("city", OCTOBER))
    with city.engine.writing("test", "test", "test", city.now()) as writing:
        writing.execute('update issued_bill set body = replace(body, \'"use":"310"\', \'"use":"300"\')')
    (told,) = ask(city, bills.BillExplain(HOME, OCTOBER, "electricity"))["bills"]
    assert told["evidence"]["sound"] is False


def test_a_month_under_way_is_told_so_far_and_not_issued(city: City) -> None:
    send(city, usual(), date(2025, 12, 1), 2)
    found = shown(city, "2025-12")["electricity"]
    assert codes(found) == ["so_far"]
    assert found["use"] == 20
    pace = found["pace"]
    assert (pace["days"], pace["of_days"]) == (2, 31)
    assert 300 < pace["projected_use"] <= 310
    assert [(tier["tier"], tier["left"], tier["next_day"]) for tier in pace["tiers"]] == [(1, 180, "2025-12-21")]
    with pytest.raises(UsageError, match="not over"):
        ask(city, bills.BillIssue("city", "2025-12"))


def test_missing_days_are_no_days_without_use_in_a_pace(new_city: New) -> None:
    """Of eight days that are over seven are known: the pace is theirs. With two of eight known there is none."""
    for days, paced in ((7, True), (2, False)):
        city = new_city(today=date(2025, 12, 9))
        send(city, usual(), date(2025, 12, 1), days)
        pace = shown(city, "2025-12")["electricity"]["pace"]
        assert (pace is not None) == paced
        assert pace is None or 309 < pace["projected_use"] <= 310


def test_a_total_contract_is_shared_to_the_last_won(city: City, new_city: New) -> None:
    found = ask(city, bills.BillAllocate("c1", OCTOBER, "electricity"))
    assert (found["contract"], found["share"], found["common_use"]) == ("apartment_total", "area", 620)
    assert sum(flat["total_won"] for flat in found["flats"]) == found["total_won"]
    assert sum(flat["common_won"] for flat in found["flats"]) == found["common_won"]
    prices = {"unit_price": Fraction("139.7"), "base_won": Fraction(61600)}
    common = compute(Asked("electricity", Fraction(620), "kWh", *bill_month(OCTOBER), "general", options=prices))
    assert found["common_won"] == common.total
    stated = ask(city, bills.BillAllocate("c1", OCTOBER, "electricity", common_won=10_000))
    assert stated["common_won"] == 10_000
    assert found["method_ko"].startswith("종합계약")
    dead = new_city(silent=("0102-electricity",))
    with pytest.raises(NotFound, match="not wholly known: c1/101/0102"):
        ask(dead, bills.BillAllocate("c1", OCTOBER, "electricity"))


def test_a_single_contract_is_shared_equally(new_city: New) -> None:
    city = new_city(settings=SETTINGS.replace('"apartment_total"', '"apartment_single"\nshare = "equal"'))
    found = ask(city, bills.BillAllocate("c1", OCTOBER, "electricity"))
    whole = compute(Asked("electricity", Fraction(2480), "kWh", *bill_month(OCTOBER), "apartment_single", households=3))
    assert found["total_won"] == whole.total
    shares = [flat["common_won"] for flat in found["flats"]]
    assert max(shares) - min(shares) <= 1
    with pytest.raises(NotFound, match="no contract of a whole complex"):
        ask(city, bills.BillAllocate("c1", OCTOBER, "gas"))


def test_incentives_are_followed_against_the_years_before(city: City) -> None:
    send(city, {"0101-electricity": 12.0}, date(2024, 10, 1), 31)
    send(city, {"0101-electricity": 14.0}, date(2023, 10, 1), 31)
    rows = ask(city, bills.BillFollow(HOME, OCTOBER))["incentives"]
    (cash,) = [one for one in rows if one["program"] == "cashback"]
    assert (cash["baseline"], cash["use"], cash["saved"], cash["paid"]) == (403, 310, 93, 100)
    assert (cash["won"], cash["so_far"], cash["reason"]) == (9300, False, None)
    points = [one for one in rows if one["program"] == "points"]
    assert {one["commodity"] for one in points} == {"electricity", "water", "gas"}
    assert all(one["won"] is None and one["reason"] for one in points)


@pytest.mark.parametrize(
    "rows",
    [
        '[[billing]]\nplace = "city"\ncommodity = "gas"\n',
        '[[billing]]\nplace = "city"\ncommodity = "gas"\nsource = "x"\nprice = "3"\n',
        '[[billing]]\nplace = "city"\ncommodity = "gas"\nsource = "x"\nunit_price = 22.4\n',
        "[bills]\nguess = true\n",
        '[rate_card.x]\nname_en = "x"\n',
        '[billing.x]\nplace = "city"\n',
    ],
)
def test_what_city_toml_says_wrongly_is_refused_by_name(new_city: New, rows: str) -> None:
    with pytest.raises(BadInput) as error:
        new_city(settings=rows)
    assert "city.toml" in error.value.place


def test_the_commands(city: City, run: Callable[..., tuple[int, str, str]]) -> None:
    folder = str(city.folder)
    city.close()
    code, out, err = run("bill", "show", HOME, "--month", OCTOBER, "--city", folder)
    assert (code, err) == (0, "")
    assert "60,340" in out
    code, out, _ = run("bill", "run", "--month", OCTOBER, "--city", folder, "--format", "csv")
    assert (code, len(out.splitlines())) == (0, 16)
    code, out, _ = run("bill", "issue", "city", "--month", OCTOBER, "--city", folder, "--format", "json")
    assert json.loads(out)["issued"] == 15
    code, out, err = run("bill", "issue", "city", "--month", OCTOBER, "--city", folder)
    assert (code, out) == (2, "")
    assert "issued already" in err
    code, out, _ = run("bill", "allocate", "c1", "--month", OCTOBER, "--city", folder)
    assert code == 0
    words = ("--commodity", "gas", "--set", "contract=residential", "--set", "unit_price=20", "--source", "paper 3")
    code, out, _ = run("bill", "agree", HOME, *words, "--since", "2025-11-01", "--city", folder)
    assert (code, "unit_price=20" in out) == (0, True)
    words = ("--commodity", "water", "--set", "pipe_mm=15", "--source", "paper 4", "--city", folder)
    code, _, err = run("bill", "agree", HOME, *words, "--set", "card_city=ansan")
    assert (code != 0, "pipe_mm" in err, "Known: 13;" in err) == (True, True, True)


def test_a_bill_of_a_complex_says_when_its_rates_are_not_published(new_city: New) -> None:
    city = new_city(settings=SETTINGS + "\n[bills]\nprovisional = true\n", today=date(2026, 12, 2))
    send(city, usual(), date(2026, 11, 1), 30)
    answer = answer_request(city, bills.BillAllocate("c1", "2026-11", "electricity"), lambda _step: None)
    assert answer.read()["provisional"]
    assert any("PROVISIONAL" in note for note in answer.notes)
    assert not ask(new_city(), bills.BillAllocate("c1", OCTOBER, "electricity"))["provisional"]


def test_a_common_bill_that_cannot_be_is_refused(
    city: City, new_city: New, run: Callable[..., tuple[int, str, str]]
) -> None:
    single = new_city(settings=SETTINGS.replace('"apartment_total"', '"apartment_single"\nshare = "equal"'))
    for where, won, code in ((city, -500, "bad_common"), (single, 100_000, "common_not_apart")):
        with pytest.raises(UsageError) as told:
            ask(where, bills.BillAllocate("c1", OCTOBER, "electricity", common_won=won))
        assert (told.value.code, told.value.place) == (code, "common_won")
    status, out, err = run("bill", "allocate", "c1", "--month", OCTOBER, "--common-won", "100000.5", "--city", ".")
    assert (status, out) == (2, "")
    assert "100000.5 is no whole won" in err


def test_a_resident_sees_his_own_days_and_nobody_elses(city: City) -> None:
    ask(city, requests.MoveIn(HOME, "kim", "2025-10-21T00:00:00+09:00"))
    mine = Grant(HOME, roles()["resident"], from_us=to_us(day_start(date(2025, 10, 21), SEOUL)))
    reader = city.access(Scope("kim", frozenset(), (mine,)))
    for issued in (False, True):
        if issued:
            ask(city, bills.BillIssue("city", OCTOBER))
        found = dwelling_bills(reader, HOME, OCTOBER, None, SEOUL).bills
        assert {(one.start, one.status) for one in found} == {(date(2025, 10, 21), "issued" if issued else "reckoned")}
    with pytest.raises(Forbidden):
        dwelling_bills(reader, HOME, "2025-09", None, SEOUL)
    for other in ("c1/101/0102", "c1", "city"):
        with pytest.raises((Forbidden, NotFound)):
            dwelling_bills(reader, other, OCTOBER, None, SEOUL)
    with pytest.raises((Forbidden, NotFound)):
        BillQuestions(reader).allocate("c1", OCTOBER, "electricity")
    (cash,) = [one for one in BillQuestions(reader).incentives(HOME, "2025-11").incentives if one.program == "cashback"]
    assert (cash.baseline, cash.won) == (None, None)


@pytest.mark.parametrize("hours", [(10, 20), (0, 5), (23, 24), (20, 30)])
def test_who_had_some_hours_only_is_answered_for_them(city: City, hours: tuple[int, int]) -> None:
    first, last = (to_us(day_start(date(2025, 10, 21), SEOUL)) + hour * HOUR_US for hour in hours)
    mine = Grant(HOME, roles()["resident"], from_us=first, until_us=last)
    reader = city.access(Scope("kim", frozenset(), (mine,)))
    bill = next(one for one in dwelling_bills(reader, HOME, OCTOBER, None, SEOUL).bills if one.commodity == "water")
    assert bill.absent or (bill.start, bill.end) == (date(2025, 10, 21), date(2025, 11, 1))
    for one in BillQuestions(reader).incentives(HOME, OCTOBER).incentives:
        assert (one.baseline, one.won) == (None, None), "the days before were another's"


def test_the_bench_measures_a_village() -> None:
    figures: dict[str, Any] = {}
    measure_bills(figures.__setitem__, small=True, households=4)
    assert (figures["bills"], figures["without_amount"], figures["issued"]) == (20, 0, 20)
