"""The order of estimators: what ships, what a decision changes, what is refused, and that estimators answer in full."""

import copy
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from quintet.terms.catalogue import read_toml
from quintet.terms.errors import BadInput
from quintet.terms.quality import qualities
from quintet.vee import Block, Gaps, estimate, shipped_order
from quintet.vee import order as module
from quintet.vee.guess import Asked, Guess
from quintet.vee.order import FUNCTIONS, order_from, probe
from quintet.vee.past import Past

Make = Callable[..., Block]
List = Callable[..., Gaps]
Names = Callable[[Any], list[str]]
HOUR_US = 3_600_000_000


def table(**keys: Any) -> dict[str, Any]:
    return {**copy.deepcopy(read_toml("quintet.vee", "estimation.toml")), **keys}


def test_what_ships_follows_practice_and_names_only_what_is_there() -> None:
    order = shipped_order()
    assert order.rows.keys() == FUNCTIONS.keys()
    assert [row.name for row in order.choice("heat", "to_2h").estimators] == [
        "outage_zero", "check_meter", "parent_minus_siblings", "linear",
    ]  # fmt: skip
    assert all(qualities()[row.quality].kind == "estimated" for row in order.rows.values())
    assigned = {row.name for row in order.rows.values() if qualities()[row.quality].assigned}
    assert assigned == {row.name for row in order.rows.values() if row.reach == "others"}


@pytest.mark.parametrize(
    ("hours", "code"), [(2, "to_2h"), (2.25, "to_12h"), (24, "to_1d"), (168, "to_7d"), (169, "longer")]
)
def test_a_gap_belongs_to_the_class_up_to_its_length(hours: float, code: str) -> None:
    order = shipped_order()
    (number,) = order.class_of(np.array([int(hours * HOUR_US)]))
    assert order.classes[number].code == code


def test_a_decision_counts_for_its_commodity_and_class_alone(make_block: Make, make_gaps: List, names: Names) -> None:
    order = shipped_order().with_choice("gas", "to_12h", ["flat"], ["register_spread"], "test")
    row: list[int | None] = [*range(24 * 21), *[None] * 6, 1]
    block = make_block([row, row], start="2025-02-12T00:00:00+09:00")
    gaps = make_gaps((0, 504, 6, None), (1, 504, 6, None))
    _, quality = estimate(block, gaps, order=order, subjects=["heat", "gas"])
    assert [names(one)[504] for one in quality] == ["like_day", "flat"]
    assert order.differs(shipped_order(), "gas")
    assert not order.differs(shipped_order(), "heat")


def test_a_role_apart_has_its_own_choice_or_its_commoditys_or_that_for_all() -> None:
    order = shipped_order()
    panel, use = order.subject("electricity", "generation"), order.subject("electricity", "submeter")
    assert (panel, use) == ("electricity:generation", "electricity")
    both = order.with_choice(use, "to_1d", ["flat"], ["register_spread"], "test")
    assert [row.name for row in both.choice(panel, "to_1d").estimators] == ["flat"]
    apart = both.with_choice(panel, "to_1d", ["last_week"], ["register_spread"], "test")
    assert [row.name for row in apart.choice(panel, "to_1d").estimators] == ["last_week"]
    assert [row.name for row in apart.choice(use, "to_1d").estimators] == ["flat"]
    assert apart.choice(panel, "to_7d") == order.choice("water", "to_7d")
    assert apart.differs(both, panel)
    assert not apart.differs(both, use)


@pytest.mark.parametrize(
    ("change", "match"),
    [
        (lambda t: t.update(colour=1), "unknown colour"),
        (lambda t: t.update(source=" "), "no source"),
        (lambda t: t["estimator"]["linear"].pop("quality"), "lacks quality"),
        (lambda t: t["estimator"]["linear"].update(quality="valid"), "no qualities of estimates"),
        (lambda t: t["estimator"]["linear"].update(reach="far"), "not its reach"),
        (lambda t: t["estimator"].pop("flat"), "flat: a row without a function"),
        (lambda t: t["estimator"].update(guess=t["estimator"]["flat"]), "guess: a row without a function"),
        (lambda t: t["order"].pop(), "no order for longer"),
        (lambda t: t["order"][0].update(estimators=["straight"]), "straight is no estimator"),
        (lambda t: t["order"][0].update({"class": "to_9d"}), "no class of gaps"),
        (lambda t: t["class"].reverse(), "from short to long"),
        (lambda t: t.update(both_ways=["consumption"]), "both_ways must lie within apart"),
        (lambda t: t.update(apart=["net", "storage", "garden"]), "within the roles"),
        (lambda t: t["order"][0].update(subjects=["gas:consumption"]), "consumption is no role apart"),
    ],
)
def test_a_bad_table_is_refused(change: Callable[[dict[str, Any]], Any], match: str) -> None:
    rows = table()
    change(rows)
    with pytest.raises(BadInput, match=match):
        order_from(rows)


def short(asked: Asked) -> Guess:
    """Answer for one cell fewer than asked."""
    return Guess.nothing(asked.cells - 1)


def scribbling(asked: Asked) -> Guess:
    """Change what was measured."""
    asked.pasts[0].block.value[0, 0] = 7
    return Guess.nothing(asked.cells)


@pytest.mark.parametrize(("faulty", "match"), [(short, r"gave \d+ values of \d+ asked"), (scribbling, "read-only")])
def test_an_estimator_that_answers_for_fewer_or_touches_others_is_refused_by_name(
    make_block: Make, make_gaps: List, monkeypatch: pytest.MonkeyPatch, faulty: Callable[[Asked], Guess], match: str
) -> None:
    monkeypatch.setitem(module.FUNCTIONS, "flat", faulty)
    with pytest.raises(BadInput, match=f"estimator flat: .*{match}"):
        probe(shipped_order())
    shipped_order.cache_clear()
    with pytest.raises(BadInput, match=f"estimator flat: .*{match}"):
        shipped_order()  # what every city asks for first: it does not start
    monkeypatch.undo()
    monkeypatch.setitem(module.FUNCTIONS, "flat", FUNCTIONS["flat"])
    shipped_order()
    monkeypatch.setitem(module.FUNCTIONS, "flat", faulty)
    block = make_block([[1, None, 3]])
    with pytest.raises(BadInput, match="estimator flat") as caught:
        estimate(block, make_gaps((0, 1, 1, None)), order=shipped_order().only("flat"))
    assert caught.value.code == "bad_estimator"
    assert block.value[0, 0] == 1


def test_an_estimator_is_handed_measured_values_only(
    make_block: Make, make_gaps: List, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever else stands in the block: an estimate, a rejected value, something under a missing cell."""
    handed: list[Past] = []

    def watching(asked: Asked) -> Guess:
        handed.extend(asked.pasts)
        return Guess.nothing(asked.cells)

    block = make_block(
        [[5, 6, 7, 8, None, 9]], quality={(0, 1): "like_day", (0, 2): "rejected", (0, 3): "class_profile"}
    )
    noisy = replace(block, value=np.where(block.present, block.value, 99))
    history = make_block([[3, 4]], start="2025-03-04T22:00:00+09:00", quality={(0, 0): "linear"})
    for name in FUNCTIONS:
        monkeypatch.setitem(module.FUNCTIONS, name, watching)
    estimate(noisy, make_gaps((0, 4, 1, None)), history)
    assert [past.block.value.tolist() for past in handed] == [[[5, 0, 0, 0, 0, 9]], [[0, 4]]]
    assert [past.block.present.tolist() for past in handed] == [
        [[True, False, False, False, False, True]],
        [[False, True]],
    ]


def test_the_fingerprint_names_what_is_asked_in_which_order() -> None:
    order = shipped_order()
    code = order.classes[-1].code
    one = order.choice("electricity", code)
    listed, scaled = [row.name for row in one.estimators], [row.name for row in one.scaled]
    turned = order.with_choice("electricity", code, listed[::-1], scaled, "this test")
    assert order.fingerprint == shipped_order().fingerprint != turned.fingerprint
