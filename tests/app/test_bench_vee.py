"""The pandas peers give what Quintet gives, interval by interval, and the bench measures what it says."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from quintet.app import bench_vee
from quintet.app.bench_vee import (
    JUDGED,
    block_of,
    cells_of,
    differences,
    judged,
    judged_as_shipped,
    measure_vee,
    peer,
    table,
    traits_of,
)
from quintet.app.bench_vee_processes import Crowd
from quintet.terms.errors import UsageError
from quintet.terms.quality import qualities_by_id

PANDAS = "the peers of the benchmark are written in it"


@pytest.mark.parametrize("name", ["vee_wide", "vee_meters"])
def test_a_peer_judges_and_fills_exactly_as_quintet_does(name: str) -> None:
    pytest.importorskip("pandas", reason=PANDAS)
    block, traits, rules = block_of(60, 15), traits_of(60), table()
    differing = differences(block, traits, rules, name)
    assert differing.pop("hits") > 0
    assert differing == dict.fromkeys([*JUDGED, "quality", "value"], 0)


def test_the_data_hold_what_every_rule_looks_for_and_every_way_to_fill() -> None:
    block, traits, rules = block_of(100, 15), traits_of(100), table()
    _, quality, findings = judged(block, traits, rules)
    assert {rules.rules[number].id for number in findings.rule.tolist()} == set(JUDGED)
    held = {qualities_by_id()[number].code for number in set(quality.ravel().tolist()) - {0}}
    assert held == {"valid", "questionable", "linear", "like_day"}


def test_a_peer_that_judges_otherwise_would_be_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("pandas", reason=PANDAS)
    given = bench_vee.for_peers

    def milder(*args: Any) -> Any:
        frame, meters, settings = given(*args)
        return frame, meters, settings | {"ratio": settings["ratio"] + 100, "line": 1}

    monkeypatch.setattr(bench_vee, "for_peers", milder)
    differing = differences(block_of(60, 15), traits_of(60), table(), "vee_wide")
    assert min(differing["V07"], differing["quality"], differing["value"]) > 0


def test_processes_make_exactly_what_one_makes(tmp_path: Path) -> None:
    block, traits = block_of(100, 15), traits_of(100)
    value, quality, findings = judged(block, traits, table())
    crowd = Crowd(tmp_path, block, traits, judged_as_shipped, 2)
    try:
        assert crowd.run() == len(findings) > 0
        made_value, made_quality = crowd.made(tmp_path)
    finally:
        crowd.close()
    assert np.array_equal(made_value, value)
    assert np.array_equal(made_quality, quality)


def test_the_small_form_measures_everything() -> None:
    pytest.importorskip("pandas", reason=PANDAS)
    figures: dict[str, Any] = {}
    measure_vee(figures.__setitem__, small=True)
    assert figures["vee_wide_differs"] == figures["vee_meters_differs"] == 0
    assert all(figure > 0 for name, figure in figures.items() if name.endswith(("_s", "_mb")) or "_x_" in name)


def test_without_a_checkout_it_says_so(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(bench_vee, "PEERS", tmp_path)
    with pytest.raises(UsageError, match="checkout"):
        peer("vee_wide")


def test_cells_of_nothing_are_none() -> None:
    block, traits, rules = block_of(30, 1), traits_of(30), table()
    assert not cells_of(judged(block, traits, rules)[2], set(), block.value.shape).any()
