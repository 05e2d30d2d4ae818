"""A building manager's work: the walk, what was found there, the list of a month, the shared bill; and refusals."""

import copy
import re
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import date, timedelta
from fractions import Fraction
from pathlib import Path
from typing import Any

import msgspec
import pytest
from tests.managed_city import DEAD, EMPTY, FIRST, INTO, LAST, OUT, SEOUL, SILENT, Hand, made, readings, send

from quintet.access import EVERYTHING
from quintet.app.answer import no_progress
from quintet.app.city import City
from quintet.app.manager_behind import kept
from quintet.app.operations import answer_request
from quintet.app.requests import EventWithdraw, VeeRun
from quintet.terms.catalogue import read_toml
from quintet.terms.errors import BadInput, NotFound, UsageError
from quintet.terms.period import day_start, to_us
from quintet.views import Questions
from quintet.views.answers_manager import BuildingClose, BuildingVisits, ClosePoint
from quintet.views.manager_places import floor_of, natural
from quintet.views.manager_visits import empty_flats
from quintet.views.manager_words import words_from
from quintet.views.questions_manager import BuildingQuestions

OCTOBER = "2025-10"


@pytest.fixture(scope="module")
def hand() -> Hand:
    return Hand(FIRST)


@pytest.fixture(scope="module")
def city(tmp_path_factory: pytest.TempPathFactory, hand: Hand) -> Iterator[City]:
    out = made(tmp_path_factory.mktemp("managed") / "city", hand)
    yield out
    out.close()


def asked(city: City, hand: Hand) -> BuildingQuestions:
    return Questions(city.access(EVERYTHING), now=hand).buildings


@pytest.fixture
def manager(city: City, hand: Hand) -> BuildingQuestions:
    return asked(city, hand)


def point(found: BuildingClose, code: str) -> ClosePoint:
    return next(one for one in found.points if one.code == code)


def walk(found: BuildingVisits) -> list[tuple[str, str, str]]:
    return [(one.flat, one.commodity, one.state) for one in found.visits]


def test_the_walk_is_in_order_and_says_what_speaks_for_each_meter(manager: BuildingQuestions) -> None:
    found = manager.visits("c1")
    assert [(one.number, one.flat, one.floor, one.commodity) for one in found.visits] == [
        (1, "0202", 2, "heat"), (2, "1001", 10, "water"),
    ]  # fmt: skip
    dead, silent = found.visits
    assert (dead.since, dead.kind, dead.evidence.code, dead.evidence.sure) == (
        DEAD, "dead_meter", "neighbours_use_it", "medium",
    )  # fmt: skip
    assert "zero on 17 days" in dead.evidence.en
    assert (dead.lived_in.code, dead.probably_empty) == ("used", False)
    assert dead.won_a_day
    assert (silent.since, silent.evidence.code, silent.evidence.sure) == (SILENT, "silent", "high")
    assert silent.usual_a_day is not None
    assert 0 < (silent.uncertain_share or 0) < 1
    assert [one.code for one in silent.notes] == ["also"]
    assert [one.code for one in silent.checks][:2] == ["read", "battery"]


def test_who_is_not_there_has_no_dead_meter(manager: BuildingQuestions) -> None:
    found = manager.visits("c1")
    assert {(one.place, one.commodity) for one in found.sound} == {
        ("c1/101/0102", kind) for kind in ("water", "hot_water", "heat")
    }
    assert {one.evidence.code for one in found.sound} == {"nothing_used"}
    assert {one.since for one in found.sound} == {"2025-10"}  # since the 10th: a month is all that is told


def test_who_asks_daily_learns_no_day_of_the_buildings_use_or_of_an_empty_flat(tmp_path: Path) -> None:
    """What is told of use and of empty flats changes with the month; a day's readings move nothing."""
    hand = Hand(FIRST)
    with closing(made(tmp_path / "city", hand)) as city:

        def told() -> list[Any]:
            found = asked(city, hand).visits("c1")
            own = [
                (one.channel, one.uncertain_share, one.usual_a_day, one.lived_in, one.days, one.evidence)
                for one in found.visits
            ]
            return [own, [(one.channel, one.since, one.evidence) for one in found.sound]]

        first = told()
        assert [row[1] for row in first[0] if row[1]]
        for later in (1, 2):
            day = LAST + timedelta(days=later)
            hand.set(day + timedelta(days=1))
            send(city, readings(day, day))
            assert told() == first


def test_what_began_this_month_is_no_empty_flat_yet(city: City) -> None:
    began = to_us(day_start(EMPTY, SEOUL))
    found = {"c1/101-0102-heat": ("away", "nothing_used", {"zero_days": 27}, began, began)}
    (told,) = empty_flats(city.access(EVERYTHING), found, date(2025, 11, 1), SEOUL)
    assert (told.since, "27" in told.evidence.en) == ("2025-10", False)
    assert not empty_flats(city.access(EVERYTHING), found, date(2025, 10, 1), SEOUL)


def test_the_days_of_a_silent_meter_are_those_that_were_judged(tmp_path: Path) -> None:
    hand = Hand(FIRST)
    with closing(made(tmp_path / "city", hand)) as city:
        hand.set(LAST + timedelta(days=400))
        silent = next(one for one in asked(city, hand).visits("c1").visits if one.evidence.code == "silent")
        assert f"for {silent.days} days" in silent.evidence.en
        assert silent.days <= (LAST - SILENT).days + 1


@pytest.mark.parametrize("month", [OCTOBER, "2025-11"])
def test_a_common_bill_below_nothing_is_refused(manager: BuildingQuestions, month: str) -> None:
    with pytest.raises(UsageError) as refused:
        manager.allocation("c1", month, "electricity", -5)
    assert (refused.value.code, refused.value.place) == ("bad_common", "common_won")


@pytest.mark.parametrize("name", ["gold", "outdoor_air"])
def test_an_unknown_utility_is_named_with_those_there_are(manager: BuildingQuestions, name: str) -> None:
    """What is measured and never billed is none either."""
    with pytest.raises(BadInput) as refused:
        manager.allocation("c1", OCTOBER, name)
    assert refused.value.code == "unknown_commodity"
    assert refused.value.remedy == "Known are electricity, gas, water, heat, hot_water."


def test_nothing_finer_than_a_day_is_told_of_a_dwelling(manager: BuildingQuestions) -> None:
    told = msgspec.structs.replace(manager.visits("c1"), known_at=None)
    assert not re.findall(r"\d\d:\d\d", msgspec.json.encode(told).decode())


def test_what_was_found_takes_a_meter_off_the_walk_or_keeps_it_with_its_reason(city: City, hand: Hand) -> None:
    manager = asked(city, hand)
    number = kept(city, manager.visited("c1", "c1/101-0202-heat", "exchanged", " spare  meter 7 "), "kim")
    found = manager.visits("c1")
    assert walk(found) == [("1001", "water", "open")]
    (done,) = found.done
    assert done.visited is not None
    assert (done.visited.by, done.visited.found.code, done.visited.note) == ("kim", "exchanged", "spare meter 7")
    answer_request(city, EventWithdraw(number, "kim", "wrong flat"), no_progress)
    second = kept(city, manager.visited("c1", "c1/101-0202-heat", "no_access"), "kim")
    found = manager.visits("c1")
    assert walk(found) == [("0202", "heat", "waiting"), ("1001", "water", "open")]
    assert "nobody at home" in found.visits[0].notes[0].en
    answer_request(city, EventWithdraw(second, "kim", "wrong flat"), no_progress)
    assert walk(manager.visits("c1"))[0] == ("0202", "heat", "open")


def test_a_meter_that_goes_on_after_a_visit_comes_back(tmp_path: Path) -> None:
    hand = Hand(FIRST)
    city = made(tmp_path / "city", hand)
    manager = asked(city, hand)
    kept(city, manager.visited("c1", "c1/101-0202-heat", "battery_changed"), "kim")
    assert walk(manager.visits("c1")) == [("1001", "water", "open")]
    later = LAST + timedelta(days=7)
    hand.set(later + timedelta(days=1))
    send(city, readings(LAST + timedelta(days=1), later))
    answer_request(city, VeeRun(), no_progress)
    back = asked(city, hand).visits("c1").visits[0]
    assert (back.flat, back.state) == ("0202", "open")
    assert [one.code for one in back.notes] == ["back"]
    city.close()


def test_the_months_list_tells_each_point(manager: BuildingQuestions) -> None:
    found = manager.close("c1", OCTOBER)
    assert {one.code: one.state for one in found.points} == {
        "over": "ok", "readings": "blocked", "exceptions": "attention", "exchanges": "attention", "moves": "ok",
        "main_meter": "ok", "records": "blocked", "rates": "blocked", "allocation": "ok", "bills": "attention",
    }  # fmt: skip
    assert (found.open, found.state, found.closed) == (6, "blocked", None)
    water = next(row for row in point(found, "readings").rows if row.of == "water")
    assert water.count == 1
    assert "c1/102/0302" in water.en
    assert "last register missing, first register stated" in point(found, "exchanges").rows[0].en
    assert [row.of for row in point(found, "moves").rows] == ["c1/101/0201"] * 2
    assert point(found, "main_meter").rows[0].share == pytest.approx(0.02, abs=0.001)
    assert "c1/101/0102" in point(found, "records").rows[0].en
    assert "heating" in point(found, "rates").figure_en
    assert "난방" in point(found, "rates").figure_ko


def test_a_building_without_main_meter_or_contract_has_nothing_to_check_there(manager: BuildingQuestions) -> None:
    other = manager.close("c2", OCTOBER)
    assert point(other, "main_meter").state == "none"
    assert "no main meter" in point(other, "main_meter").figure_en.lower()
    assert point(other, "allocation").state == "none"
    assert point(other, "readings").state == "blocked"  # nothing was ever heard of its meters


def test_a_month_is_closed_with_a_reason_and_a_name(city: City, hand: Hand) -> None:
    manager = asked(city, hand)
    with pytest.raises(UsageError, match="points are open") as refused:
        manager.closing("c1", OCTOBER, "  ")
    assert refused.value.code == "reason_needed_to_close"
    with pytest.raises(UsageError, match="is not over"):
        manager.closing("c1", "2025-11", "in a hurry")
    kept(city, manager.closing("c1", OCTOBER, "heat rates come later"), "kim")
    closed = manager.close("c1", OCTOBER).closed
    assert closed is not None
    assert (closed.by, closed.reason) == ("kim", "heat rates come later")
    assert closed.open_points == ["readings", "exceptions", "exchanges", "records", "rates", "bills"]
    assert closed.at.date() == LAST + timedelta(days=1)
    assert manager.close("c1/101", OCTOBER).closed is None
    assert manager.close("c2", OCTOBER).closed is None


def test_notes_of_people_judge_no_week_anew(city: City, hand: Hand) -> None:
    kept(city, asked(city, hand).visited("c1", "c1/101-1001-water", "no_access"), "kim")
    assert answer_request(city, VeeRun(), no_progress).read()["units"] == 0


def test_the_shares_add_up_to_the_bill_to_the_won(manager: BuildingQuestions) -> None:
    found = manager.allocation("c1", OCTOBER)
    assert found.commodity == "electricity"
    assert found.sum_won == found.total_won == (found.own_won or 0) + (found.common_won or 0)
    assert sum(item.won or 0 for item in found.whole_items) == found.common_won
    area = sum(Fraction(str(flat.area_m2)) for flat in found.flats)
    for flat in found.flats:
        assert sum(item.won or 0 for item in flat.items) == flat.own_won
        exact = Fraction(found.common_won or 0) * Fraction(str(flat.area_m2)) / area
        assert flat.common_won == exact // 1 + (flat.rest_won or 0)
        assert flat.rest_won in (0, 1)
        assert flat.total_won == (flat.own_won or 0) + (flat.common_won or 0)
    assert found.rest_won == sum(flat.rest_won or 0 for flat in found.flats) > 0
    assert [flat.place for flat in found.flats] == sorted(flat.place for flat in found.flats)


def test_moves_and_vacancies_are_told_of_a_flats_share(manager: BuildingQuestions) -> None:
    flats = {flat.place: flat for flat in manager.allocation("c1", OCTOBER).flats}
    moved = flats["c1/101/0201"]
    assert [(one.first, one.last, one.occupied) for one in moved.stretches] == [
        (date(2025, 10, 1), OUT - timedelta(days=1), True), (OUT, INTO - timedelta(days=1), False),
        (INTO, date(2025, 10, 31), True),
    ]  # fmt: skip
    assert sum(one.won for one in moved.stretches) == moved.total_won
    assert [flat.place for flat in flats.values() if flat.occupied is False] == ["c1/101/0102"]


def test_what_cannot_be_shared_yet_says_why_and_has_no_amounts(tmp_path: Path) -> None:
    hand = Hand(FIRST)
    city = made(tmp_path / "city", hand, judged=False)
    manager = asked(city, hand)
    assert manager.visits("c1").judged_week is None
    assert "never" not in point(manager.close("c1", OCTOBER), "exceptions").state
    assert "Nothing was judged yet" in point(manager.close("c1", OCTOBER), "exceptions").figure_en
    found = manager.allocation("c1", "2025-11")
    assert ([one.code for one in found.why], found.whole, found.over) == (["under_way"], False, False)
    assert {flat.total_won for flat in found.flats} == {None}
    assert {flat.reading for flat in found.flats} == {"measured"}
    early = manager.allocation("c1", "2025-09")  # readings begin on the 15th
    assert [one.code for one in early.why] == ["use_unknown"]
    assert {flat.reading for flat in early.flats} == {"missing"}
    assert {flat.use for flat in early.flats} == {None}
    city.close()


@pytest.mark.parametrize(
    ("ask", "kind", "code"),
    [
        (lambda own: own.visits("c9"), NotFound, "not_your_building"),
        (lambda own: own.visits("c1/101/0101"), UsageError, "no_building"),
        (lambda own: own.visits("city"), UsageError, "no_building"),
        (lambda own: own.visits("c3"), NotFound, "no_dwellings"),
        (lambda own: own.close("c1", "October"), UsageError, "bad_time"),
        (lambda own: own.close("c1", "2025-12"), UsageError, "month_not_begun"),
        (lambda own: own.allocation("c1", "2026-01"), UsageError, "month_not_begun"),
        (lambda own: own.allocation("c2", OCTOBER), NotFound, "not_agreed"),
        (lambda own: own.allocation("c1", OCTOBER, "water"), NotFound, "not_agreed"),
        (lambda own: own.visited("c1", "c1/101-0202-heat", "magic"), UsageError, "bad_found"),
        (lambda own: own.visited("c1/102", "c1/101-0202-heat", "sound"), NotFound, "not_in_building"),
    ],
)
def test_refusals_say_what_to_do(
    manager: BuildingQuestions, ask: Callable[[BuildingQuestions], Any], kind: type[Exception], code: str
) -> None:
    with pytest.raises(kind) as refused:
        ask(manager)
    error: Any = refused.value
    assert (error.code, bool(error.remedy)) == (code, True)


def test_names_are_sorted_as_people_count() -> None:
    assert sorted(["10", "9", "B2", "1001", "0202"], key=natural) == ["9", "10", "0202", "1001", "B2"]
    assert [floor_of(flat) for flat in ("0202", "1203", "12", "A", "B101")] == [2, 12, None, None, 1]


def test_words_are_refused_where_they_do_not_fit() -> None:
    table = read_toml("quintet.views", "manager.toml")
    words_from(table)
    for change in (
        lambda rows: rows["evidence"]["silent"].update(ko="값이 없습니다."),
        lambda rows: rows["visit"]["connection"].update(checks=["pray"]),
        lambda rows: rows["found"]["sound"].pop("settles"),
        lambda rows: rows["limit"]["life_months"].pop("source"),
        lambda rows: rows.update(more={}),
    ):
        wrong = copy.deepcopy(table)
        change(wrong)
        with pytest.raises(BadInput):
            words_from(wrong)
