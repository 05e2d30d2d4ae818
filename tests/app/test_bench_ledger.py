"""The ledger's bench runs on a village and says what it measured; the simulated city's books close."""

from collections.abc import Iterator
from contextlib import closing
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from quintet.access import EVERYTHING
from quintet.app.bench_ledger import measure_ledger
from quintet.app.city import City
from quintet.ledger.balance import balance
from quintet.simulate import CityPlan, simulate_city
from quintet.simulate.city import SimulatedCity
from quintet.simulate.dataset import readings_of
from quintet.terms.period import Resolution, Span, day_start
from quintet.terms.tables import QUARANTINE
from quintet.views.losses import losses_of

DAY = date(2026, 1, 5)
SOURCES = ("import", "local_generation", "conversion_out", "storage_discharge")


def test_the_bench_measures_a_village_made_longer_by_repeating_its_days(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("QUINTET_BENCH_SIMULATED", "2")
    figures: dict[str, Any] = {}
    measure_ledger(figures.__setitem__, small=True, households=12, days=3)
    assert (figures["simulated_days"], figures["days"]) == (2, 3)
    assert figures["tree_rows"] > figures["tree_places"] > 12
    assert all(
        figures[name][1] > 0
        for name in ("city_by_hour_all_definitions_ms_first_median", "tree_by_month_ms_first_median")
    )
    assert figures["city_by_hour_plain_to_ours_ratio"] > 0
    assert figures["report_confirmed"], "what was known before the corrections is found again to the last digit"


@pytest.fixture(scope="module")
def village(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[City, SimulatedCity]]:
    simulated = simulate_city(CityPlan(households=12, start=DAY, days=1, faults=False))
    folder: Path = tmp_path_factory.mktemp("books") / "city"
    city = City.create(folder, timezone="Asia/Seoul")
    with closing(city):
        city.pipeline.register(simulated.meters, settings=simulated.settings, source="sim", actor="test")
        rows = readings_of(simulated.readings(DAY))
        city.pipeline.commit([(rows, QUARANTINE.empty_table())], source="sim", actor="test")
        yield city, simulated


def test_what_networks_lost_is_what_the_simulation_lost(village: tuple[City, SimulatedCity]) -> None:
    """Every carrier closes: head less below is the closure error, and the simulation's truth closes with its loss."""
    city, simulated = village
    span = Span(day_start(DAY, city.engine.tz), day_start(date(2026, 1, 6), city.engine.tz))
    access = city.access(EVERYTHING)
    lost = losses_of(access, span, Resolution.DAY, place="", network="", known_at=None).table.to_pylist()
    flows = access.flows("city", span, Resolution.DAY)
    books = balance(
        flows.flows, place="city", edges=flows.edges, commodities=access.registry().commodities,
        boundaries_metered=flows.boundaries_metered,
    ).to_pylist()  # fmt: skip
    assert len(books) == 5
    for row in books:
        mine = [one["loss"] for one in lost if one["commodity"] == row["commodity"]]
        assert mine
        assert row["closure_error"] == sum(mine)
        assert row["known_loss"] == 0, "their heads are the city's own supply: what they find is the closure error"
    truth: dict[tuple[str, str], int] = {}
    for row in simulated.truth(DAY).to_pylist():
        key = (row["commodity"], row["flow"])
        truth[key] = truth.get(key, 0) + row["value"]
    for commodity in {code for code, _ in truth}:
        into = sum(truth.get((commodity, flow), 0) for flow in SOURCES)
        out = ("consumption", "conversion_in", "storage_charge", "export", "loss")
        assert into == sum(truth.get((commodity, flow), 0) for flow in out), commodity
