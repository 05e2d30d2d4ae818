"""`quintet vee report`: faults put into sound readings go the way that all readings go, and are counted honestly."""

import json
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from quintet.app.answer import no_progress
from quintet.app.city import City
from quintet.app.requests import VeeReport
from quintet.app.vee_report import COLUMNS, Detection, detect, share, simulated, totals, vee_report
from quintet.app.vee_report_beds import DAYS, Bed, beds_of
from quintet.app.vee_report_trials import judge_trials, make_trial, moved, unfaulted
from quintet.simulate.injectors import injectors
from quintet.simulate.injectors_held import HELD_OUT
from quintet.simulate.stretch import Faulted, Injector, Stretch
from quintet.terms.errors import BadInput


def one_step(stretch: Stretch, step: float, _rng: Any) -> Faulted:
    """Count one step too much, once."""
    value, touched = stretch.value.copy(), np.zeros(len(stretch.value), np.bool_)
    value[stretch.begin], touched[stretch.begin] = round(value[stretch.begin] + step, 6), True
    return Faulted(stretch.at_us, value, touched)


ASKED = VeeReport(each=1, times=1, seed=3)


@pytest.fixture(scope="module")
def city(tmp_path_factory: pytest.TempPathFactory) -> Iterator[City]:
    with closing(simulated(tmp_path_factory.mktemp("sound") / "city", 4, seed=2)) as made:
        yield made


@pytest.fixture(scope="module")
def beds(city: City) -> list[Bed]:
    return beds_of(city, 1, 3)


def test_the_report_counts_every_fault_and_says_the_same_again(city: City) -> None:
    first, again = (vee_report(city, ASKED, no_progress) for _ in range(2))
    assert first.document == again.document
    assert first.columns == COLUMNS
    said: dict[str, Any] = json.loads(first.document)
    assert {row["kind"] for row in said["detection"]} == injectors().keys()
    found = {(row["kind"], row["magnitude"]): row["found_at_commit"] for row in said["detection"]}
    for certain in [("missing", 1), ("missing", 72), ("poison", 1), ("poison", 10), ("sign", 24)]:
        assert found[certain] == 1, certain
    assert said["totals"]["rollovers_right"] == 1
    assert said["totals"]["moving_all"] > 25
    shares = {(row["kind"], row["magnitude"]): row["named_intervals"] for row in said["detection"]}
    assert shares["missing", 72] == 1
    assert all(0 <= share <= 1 for share in shares.values() if share is not None)
    assert 0 < said["totals"]["moving_all_named_intervals"] <= 1
    assert said["totals"]["false_share_of_intervals"] < 0.005
    assert said["totals"]["false_share_of_intervals_marked"] < 0.005
    assert said["totals"]["moving_known"] + said["totals"]["moving_held_out"] == said["totals"]["moving_all"]
    assert {row["kind"] for row in said["detection"] if row["held_out"]} == HELD_OUT.keys()
    assert said["totals"]["sound_days"] == DAYS * said["totals"]["beds"]


def test_a_bed_taken_in_again_is_what_it_was(city: City, beds: list[Bed]) -> None:
    (verdict,) = judge_trials(beds[:1], [unfaulted(0, beds[0].stretch)], city.engine.tz)
    assert (verdict.commit, verdict.period, verdict.wrong) == (frozenset(), frozenset(), 0.0)
    assert verdict.cells["days"] == DAYS


def test_what_is_not_there_is_not_found(city: City, beds: list[Bed]) -> None:
    """A fault that cannot be seen is counted as missed, not hidden."""
    place = next(n for n, bed in enumerate(beds) if not bed.stretch.register)
    least = float(np.diff(np.unique(beds[place].stretch.value)).min())
    trial = make_trial(beds, place, Injector("step", one_step, "", (least,), frozenset()), least, 1)
    assert 0 < trial.moved < 0.2
    verdict = judge_trials(beds, [unfaulted(place, beds[place].stretch), trial], city.engine.tz)[1]
    assert (verdict.commit, verdict.period) == (frozenset(), frozenset())
    assert share([verdict]) == 0.0
    assert (verdict.touched, verdict.named) == (1, 0)
    assert totals(Detection(beds, [verdict], Counter()))["moving_all"] == 0


def test_a_moved_total_is_that_of_a_reader_who_believes_everything(beds: list[Bed]) -> None:
    bed = next(bed for bed in beds if not bed.stretch.register)
    stretch = bed.stretch
    assert moved(bed, unfaulted(0, stretch).faulted) == 0
    day = slice(bed.edges[28], bed.edges[29])
    touched = np.zeros(len(stretch.amounts), np.bool_)
    touched[day] = True
    doubled = stretch.value.copy()
    doubled[day] *= 2
    assert moved(bed, Faulted(stretch.at_us, doubled, touched)) == pytest.approx(1.0)
    gone = Faulted(np.delete(stretch.at_us, day), np.delete(stretch.value, day), touched)
    assert moved(bed, gone) == pytest.approx(1.0)


def test_a_city_without_a_sound_stretch_says_so(tmp_path: Path) -> None:
    with closing(City.create(tmp_path / "city")) as empty, pytest.raises(BadInput, match="sound days"):
        detect(empty, ASKED, no_progress)
