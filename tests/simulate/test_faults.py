"""Faults as drawn: rates, places and times, and peace between two on one meter."""

from collections import Counter
from datetime import date

import numpy as np
import pytest

from quintet.simulate.faults import LASTING, PEACE_US, draw, fault_kinds, rates_of
from quintet.simulate.layout import build
from quintet.simulate.plan import CityPlan
from quintet.terms.errors import BadInput

START = date(2026, 1, 12)
OFTEN = dict.fromkeys(fault_kinds(), 0.01)


def plan_of(faults: bool | dict[str, float], days: int = 20, households: int = 200) -> CityPlan:
    return CityPlan(start=START, days=days, households=households, faults=faults)


def test_rates_come_from_the_plan() -> None:
    assert rates_of(plan_of(False)) == {}
    assert rates_of(plan_of(True))["gap"] == fault_kinds()["gap"].rate
    assert rates_of(plan_of({"gap": 0.5})) == {"gap": 0.5}
    with pytest.raises(BadInput, match="gremlin"):
        rates_of(plan_of({"gremlin": 1.0}))


def test_every_kind_happens_where_it_may() -> None:
    plan = plan_of(OFTEN)
    sites = build(plan)
    rows = {site.number: site.rows for site in sites}
    faults = draw(plan, sites)
    assert {fault.kind for fault in faults} == set(fault_kinds())
    begin, end = int(plan.edges(START)[0]), int(plan.edges(plan.last)[-1])
    for fault in faults:
        kind = fault_kinds()[fault.kind]
        assert kind.may_hit(rows[fault.site][fault.row])
        assert begin < fault.start_us < end
        assert fault.start_us < fault.end_us
        edges = plan.edges(plan.day(fault.day))
        assert edges[0] < fault.start_us < edges[-2]
        assert not kind.within_day or fault.end_us <= edges[-2]
        assert fault.magnitude > 0
    assert [fault.number for fault in faults] == list(range(len(faults)))


def test_no_meter_has_two_faults_at_a_time() -> None:
    plan = plan_of(OFTEN)
    by_row: dict[tuple[int, int], list[tuple[int, int, str]]] = {}
    for fault in draw(plan, build(plan)):
        by_row.setdefault((fault.site, fault.row), []).append((fault.start_us, fault.end_us, fault.kind))
    assert max(len(spans) for spans in by_row.values()) > 1
    for spans in by_row.values():
        assert len(spans) == 1 or not {kind for *_, kind in spans} & LASTING
        for (_, until, _), (since, _, _) in zip(sorted(spans), sorted(spans)[1:], strict=False):
            assert since - until >= PEACE_US


def test_there_are_about_as_many_as_the_rate_says() -> None:
    plan = plan_of({"gap": 0.002}, days=30, households=1000)
    sites = build(plan)
    meters = sum(int(np.sum(site.drawn)) for site in sites)
    wanted = 0.002 * 30 * meters
    counted = Counter(fault.kind for fault in draw(plan, sites))["gap"]
    assert 0.8 * wanted < counted < 1.1 * wanted  # some give way to the peace of others


def test_late_readings_arrive_within_the_plan() -> None:
    plan = plan_of({"late": 0.05}, days=5)
    faults = draw(plan, build(plan))
    assert faults
    assert all(fault.day < fault.day + fault.magnitude < plan.days for fault in faults)


def test_the_draw_is_the_same_again_and_another_with_another_seed() -> None:
    plan = plan_of(OFTEN)
    other = CityPlan(start=START, days=20, households=200, faults=OFTEN, seed=2)
    assert draw(plan, build(plan)) == draw(plan, build(plan))
    assert draw(plan, build(plan)) != draw(other, build(other))
