"""Answers made again after a commit, before anybody asks, are those that would be told, under the same rights."""

import gc
import random
import weakref
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import numpy as np
import pytest

from quintet.access import EVERYTHING, Access
from quintet.views import Questions
from quintet.views.home_fresh import Freshening

from .home_city import HEARD, ONE, STEP, TWO, commit
from .test_home_kept import Town


@pytest.fixture
def town(tmp_path: Path) -> Iterator[Town]:
    out = Town(tmp_path / "city")
    yield out
    out.city.close()


def freshening(town: Town) -> Freshening:
    city = town.city

    def unlogged() -> Access:
        return Access(city.engine, city.registry, city.pipeline.recent, EVERYTHING, city.rule_set)

    return Freshening(town.kept, town.shelf, city.access, unlogged, town.hand)


def channels_of(town: Town, place: str) -> list[int]:
    registry = town.city.registry()
    return [number for number in registry.channel_ids.values() if registry.place_of(number) == place]


def going_on() -> bool:
    return True


def test_what_somebody_looks_at_is_made_anew_before_he_asks_again(town: Town) -> None:
    fresh, home = freshening(town), town.questions(town.city.access(town.readers()[1]), kept=True)
    assert home.make_ahead(ONE) is not None
    channels = channels_of(town, ONE)
    commit(town.city, ("power", HEARD, 0.5))
    assert fresh.run(channels, going_on) == 0, "made ahead, but nobody has asked for it yet"
    assert home.now_at_hand(ONE) is None
    assert fresh.run(channels, going_on) == 1
    held = home.now_at_hand(ONE)
    assert held is not None
    assert held[1] == (home.now_told(ONE))[1]
    misses = town.kept.misses
    assert fresh.run(channels, going_on) == 1, "it stands, and is given again"
    assert town.kept.misses == misses


def test_other_homes_and_an_end_are_left_alone(town: Town) -> None:
    fresh, scope = freshening(town), town.readers()[2]
    home = town.questions(town.city.access(scope), kept=True)
    home.make_ahead(TWO)
    home.now_at_hand(TWO)
    assert fresh.run(channels_of(town, ONE), going_on) == 0
    assert fresh.run(channels_of(town, TWO), lambda: False) == 0
    assert fresh.run([10**6], going_on) == 0


def test_who_asked_long_ago_is_not_made_for(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    home = town.questions(town.city.access(town.readers()[1]), kept=True)
    home.make_ahead(ONE)
    home.now_at_hand(ONE)
    channels = channels_of(town, ONE)
    assert town.kept.looked_at(channels), "now he is made for"
    monkeypatch.setattr("quintet.views.home_kept.home_limits", lambda: {"looked_at_s": 0})
    assert not town.kept.looked_at(channels)


def test_an_answer_that_was_let_go_is_not_found_by_its_channels(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    home = town.questions(town.city.access(EVERYTHING), kept=True)
    monkeypatch.setattr(
        "quintet.views.home_kept.home_limits", lambda: {"usual_days_back": 28, "kept_homes": 1, "looked_at_s": 60}
    )
    for place in (ONE, TWO):
        home.make_ahead(place)
        home.now_at_hand(place)
    assert [place for place, _ in town.kept.looked_at(channels_of(town, TWO))] == [TWO]
    assert not town.kept.looked_at(channels_of(town, ONE))


def test_made_anew_after_each_commit_they_are_what_would_be_told(town: Town) -> None:
    fresh, dice = freshening(town), random.Random(8)
    town.same()
    made = 0
    for step in range(4):
        rows = [(meter, HEARD + step * STEP, round(dice.uniform(0.01, 0.2), 4)) for meter in ("power", "gas", "power2")]
        commit(town.city, *rows)
        town.hand.now += timedelta(minutes=15)
        made += fresh.run(np.unique([*channels_of(town, ONE), *channels_of(town, TWO)]).tolist(), going_on)
        town.same()
    assert made > 8


def test_questions_that_nobody_asks_any_more_are_gone_at_once(town: Town) -> None:
    questions = Questions(town.city.access(EVERYTHING), now=town.hand, shelf=town.shelf, kept=town.kept)
    gone = weakref.ref(questions)
    gc.disable()
    try:
        del questions
        assert gone() is None, "each request makes some: nobody is to look for circles of them"
    finally:
        gc.enable()
