"""What is kept of a home is what would be told anew, whatever happens in between; and nobody gets what is not his."""

import os
import random
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np
import pyarrow as pa
import pytest

from quintet.access import EVERYTHING, Access, Scope
from quintet.access.roles import role_named
from quintet.access.scope import Grant
from quintet.access.touched import Touched
from quintet.app.answer import no_progress
from quintet.app.city import City
from quintet.app.operations import answer_request
from quintet.app.requests import EditMake
from quintet.registry.changes import move_in
from quintet.terms.errors import NotFound, QuintetError
from quintet.terms.period import to_us
from quintet.views.catalogue import Catalogue, Shelf
from quintet.views.home import HomeQuestions
from quintet.views.home_kept import KeptHomes, Told, told_now
from quintet.views.home_warm import Warming

from .home_city import FIRST, HEARD, NEW, NOW, ONE, STEP, TWO, commit, make_city, meter_row

LONG_AGO = FIRST - timedelta(days=30)
LATELY = datetime(2026, 11, 12, 4, 10, tzinfo=UTC)
HOMES = (ONE, TWO, NEW)
METERS = {"power": 0.1, "water": 0.004, "gas": 0.002, "heat": 0.0, "power2": 0.1, "power3": 0.2}
PATIENCE = 7
"""Steps of one story."""


class Hand:
    """A clock that the test sets."""

    now = NOW

    def __call__(self) -> int:
        return to_us(self.now)


class Town:
    """The three homes under a clock, what is kept of them, and readers with different rights."""

    def __init__(self, folder: Path) -> None:
        make_city(folder).close()
        self.hand = Hand()
        self.city = City.open(folder, now=self.hand)
        self.touched = Touched(self.city.engine.tz)
        self.city.pipeline.listeners.insert(0, self.touched.take)
        self.kept = KeptHomes(self.touched)
        self.shelf = Shelf()
        self.sent = dict.fromkeys(METERS, HEARD)
        self.moved = 0

    def questions(self, access: Access, *, kept: bool) -> HomeQuestions:
        return HomeQuestions(access, lambda: Catalogue(access), self.hand, self.kept if kept else None)

    def readers(self) -> list[Scope]:
        resident = role_named("resident")
        return [
            EVERYTHING,
            *(Scope("kim", frozenset(), (Grant(home, resident, to_us(LONG_AGO)),)) for home in HOMES),
            Scope("lee", frozenset(), (Grant(ONE, resident, to_us(LATELY)),)),
            Scope("park", frozenset(), (Grant(ONE, resident, to_us(NOW - timedelta(hours=5))),)),
            Scope("choi", frozenset(), (Grant(ONE, resident, to_us(LONG_AGO), to_us(NOW + timedelta(hours=30))),)),
            Scope("han", frozenset(), (Grant(TWO, resident, to_us(LONG_AGO)), Grant(ONE, resident, to_us(LATELY)))),
        ]

    def same(self) -> int:
        """Compare what each reader is told of each home with what he would be told anew; give how many were told."""
        told = 0
        for scope in self.readers():
            access = self.city.access(scope)
            for home in HOMES:
                anew = said(lambda home=home, access=access: told_now(self.questions(access, kept=False).now(home)))
                first = said(lambda home=home, access=access: self.questions(access, kept=True).make_ahead(home))
                again = said(lambda home=home, access=access: self.questions(access, kept=True).now_at_hand(home))
                if not isinstance(anew, Told):
                    assert first == anew
                    assert again in (None, anew)
                    continue
                assert first == anew, (scope.reader, home, self.hand.now)
                assert again == (anew.at(self.hand.now.astimezone(ZoneInfo("Asia/Seoul"))), anew.digest)
                told += 1
        return told


def said(ask: Callable[[], object]) -> object:
    """Ask; give a refusal by its code."""
    try:
        return ask()
    except QuintetError as error:
        return error.code


@pytest.fixture
def town(tmp_path: Path) -> Iterator[Town]:
    out = Town(tmp_path / "city")
    yield out
    out.city.close()


def send_next(town: Town, dice: random.Random) -> None:
    """Let meters send what they owe, some of them not all of it."""
    rows: list[tuple[str, datetime, float]] = []
    for meter, usual in METERS.items():
        while town.sent[meter] + STEP <= town.hand.now and dice.random() < 0.9:
            rows.append((meter, town.sent[meter], round(usual * dice.uniform(0.5, 1.5), 4)))
            town.sent[meter] += STEP
    if rows:
        commit(town.city, *rows)


def send_late(town: Town, dice: random.Random) -> None:
    """Correct something of today or of the weeks before."""
    meter = dice.choice(["power", "water", "gas", "heat"])
    back = dice.choice([1, 3, 40, 96, 96 * 6, 96 * 20, 96 * 50])
    commit(town.city, (meter, HEARD - back * STEP, round(dice.uniform(0.01, 0.2), 4)))


def edit(town: Town, dice: random.Random) -> None:
    """Let a person replace an hour of power."""
    start = HEARD - timedelta(hours=dice.choice([2, 3, 30, 24 * 9]))
    made = EditMake(
        "replace", start.isoformat(), (start + timedelta(hours=1)).isoformat(), "kim", "test", channel="c1/power",
        value=str(round(dice.uniform(0.01, 0.2), 3)),
    )  # fmt: skip
    answer_request(town.city, made, no_progress)


def register(town: Town, _dice: random.Random) -> None:
    """Register one more meter."""
    town.moved += 1
    row = meter_row(str(20 + town.moved), "power3") | {"meter": f"more{town.moved}"}
    table = pa.table({name: [value] for name, value in row.items()})
    town.city.pipeline.register(table, source="meters", actor="test")


def move(town: Town, _dice: random.Random) -> None:
    """Let somebody move in next door."""
    town.moved += 1
    registry = town.city.registry()
    if town.moved < 9:
        said = move_in(registry, premise=NEW, occupant=f"f{town.moved}", at=town.hand.now)
        town.city.pipeline.apply_records(said, kind="registry", source="test", actor="test")


def wait(town: Town, dice: random.Random) -> None:
    """Let time pass, now and then over midnight."""
    town.hand.now += timedelta(minutes=dice.choice([1, 4, 14, 15, 31, 46, 60 * 3, 60 * 10, 60 * 25]))


def close(town: Town, _dice: random.Random) -> None:
    """Close the days that are over."""
    town.city.close_days()


LONG = range(3, 11) if "QUINTET_KILLS" in os.environ else range(0)
"""Longer stories, where `make soak` asks for them."""
HAPPENINGS = (send_next, send_next, send_next, send_late, send_late, edit, register, move, wait, wait, wait, close)


@pytest.mark.parametrize(
    ("seed", "steps"),
    [(1, PATIENCE), (2, PATIENCE), *(pytest.param(seed, 60, marks=pytest.mark.soak) for seed in LONG)],
)
def test_what_is_kept_is_what_would_be_told_anew(town: Town, seed: int, steps: int) -> None:
    dice, told = random.Random(seed), town.same()
    for _ in range(steps):
        happening = dice.choice(HAPPENINGS)
        refused = said(lambda happening=happening: happening(town, dice))
        assert refused in (None, "occupied", "already_lives_there"), refused
        told += town.same()
    assert told > 5 * steps
    assert town.kept.hits > town.kept.misses > steps


def test_a_quiet_home_is_read_once_and_a_touched_one_again(town: Town) -> None:
    access = town.city.access(EVERYTHING)
    home = town.questions(access, kept=True)
    first = home.make_ahead(ONE)
    town.hand.now += timedelta(minutes=3)
    assert home.now_at_hand(TWO) is None
    held = home.now_at_hand(ONE)
    assert first is not None
    assert held is not None
    assert held[1] == first.digest
    town.hand.now += timedelta(minutes=10)
    assert home.now_at_hand(ONE) is not None, "what is fine stays so for a while"
    commit(town.city, ("power", HEARD - STEP, 0.5))
    assert home.now_at_hand(ONE) is None
    after = home.make_ahead(ONE)
    assert after is not None
    assert after.digest != first.digest
    commit(town.city, ("power2", HEARD, 0.5))
    assert home.now_at_hand(ONE) is not None, "the neighbour's readings are not ONE's"


def test_a_reading_that_comes_while_an_answer_is_made_is_not_lost(town: Town) -> None:
    home = town.questions(town.city.access(EVERYTHING), kept=True)
    stamp = town.touched.stamp
    commit(town.city, ("power", HEARD, 0.5))
    assert home.make_ahead(ONE, stamp) is not None
    assert home.now_at_hand(ONE) is None, "made of what was read before the commit, perhaps"


def test_who_has_no_right_finds_nothing_though_it_is_kept(town: Town) -> None:
    mine = Scope("kim", frozenset(), (Grant(ONE, role_named("resident"), to_us(LONG_AGO)),))
    assert town.questions(town.city.access(mine), kept=True).make_ahead(ONE) is not None
    for scope in (
        Scope("none", frozenset(), (Grant("", role_named("resident"), 0, 0),)),
        Scope("next door", frozenset(), (Grant(TWO, role_named("resident"), to_us(LONG_AGO)),)),
    ):
        with pytest.raises(NotFound):
            town.questions(town.city.access(scope), kept=True).now_at_hand(ONE)
    later = Scope("lee", frozenset(), (Grant(ONE, role_named("resident"), to_us(LATELY)),))
    assert town.questions(town.city.access(later), kept=True).now_at_hand(ONE) is None


@pytest.mark.parametrize("role", ["building_manager", "operator", "integrator"])
def test_what_is_to_be_noted_is_never_kept(town: Town, role: str) -> None:
    access = town.city.access(Scope("x", frozenset(), (Grant("c1", role_named(role)),), "a reason"))
    assert access.alike(ONE) is None
    assert not town.kept.at_hand((ONE, ()), town.city.registry(), town.hand())


def test_answers_made_ahead_are_those_that_are_told(town: Town) -> None:
    city = town.city

    def unlogged() -> Access:
        return Access(city.engine, city.registry, city.pipeline.recent, EVERYTHING, city.rule_set)

    warming = Warming(town.kept, town.shelf, city.access, unlogged, town.hand)
    readers = [scope for scope in town.readers() if scope.grants]
    made = warming.run(readers, lambda: True)
    assert made == town.kept.misses == 8
    town.same()
    assert warming.run(readers, lambda: True) == 0
    town.hand.now += timedelta(days=1)
    assert warming.run(readers, lambda: False) == 0
    assert warming.run(readers, lambda: True) > 0
    town.same()


def test_only_so_many_homes_are_kept(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    limits = {"usual_days_back": 28, "kept_homes": 2}
    monkeypatch.setattr("quintet.views.home_kept.home_limits", lambda: limits)
    one, two = (town.kept.home((place, ())) for place in (ONE, TWO))
    assert town.kept.home((ONE, ())) is one
    town.kept.home((NEW, ()))
    assert town.kept.home((ONE, ())) is one
    assert town.kept.home((TWO, ())) is not two, "the longest unasked goes first"


class Batch:
    """A commit as listeners get it."""

    def __init__(self, channels: list[int], days: list[int]) -> None:
        zone = ZoneInfo("Asia/Seoul")
        first = to_us(datetime(2026, 11, 1, tzinfo=zone))
        self.batch = None
        self.rows = self if channels else None
        self.channel = np.array(channels, np.int32)
        self.start_us = np.array([first + 86_400_000_000 * day for day in days], np.int64)


def test_touches_are_told_apart_by_channel_and_day() -> None:
    touched = Touched(ZoneInfo("Asia/Seoul"))
    first = (date(2026, 11, 1) - date(1970, 1, 1)).days
    seven, eight = np.array([7], np.int32), np.array([8, 90], np.int32)
    touched.take(Batch([7], [0]))  # pyright: ignore[reportArgumentType]
    assert (touched.stamp, touched.since(seven), touched.since(eight)) == (1, 1, 0)
    assert (touched.since_before(seven, first), touched.since_before(seven, first + 1)) == (0, 1)
    touched.take(Batch([], []))  # pyright: ignore[reportArgumentType]
    assert touched.stamp == 1
    for day in range(1, 9):
        touched.take(Batch([8], [day]))  # pyright: ignore[reportArgumentType]
    assert touched.since_before(seven, first + 8) == 1
    assert (touched.since_before(eight, first + 8), touched.since(eight)) == (8, 9)
    touched.take(Batch([7], [2]))  # pyright: ignore[reportArgumentType]
    assert touched.since_before(seven, first + 7) == 10
