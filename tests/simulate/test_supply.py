"""The network table: whole, and its conversions are those of its own calorific value."""

from fractions import Fraction
from typing import Any

import pytest

from quintet.simulate import supply as module
from quintet.simulate.supply import supply
from quintet.terms.catalogue import read_toml
from quintet.terms.errors import BadInput


def test_every_carrier_is_met_by_something_that_exists() -> None:
    network = supply()
    for carrier in network.carriers.values():
        if carrier.balance == "import":
            assert carrier.import_meter is not None
            assert carrier.import_meter.carrier == carrier.code
        elif carrier.balance == "exchanger":
            assert network.exchanger.output.carrier == carrier.code
        else:
            assert carrier.code in network.plants[carrier.balance].ratios


def test_plants_feed_only_carriers_that_are_solved_before_their_input() -> None:
    order = list(supply().carriers)
    for plant in supply().plants.values():
        assert all(order.index(out) < order.index(plant.input_meter.carrier) for out in plant.ratios)
        assert sum(plant.ratios.values()) < supply().carriers[plant.input_meter.carrier].content


def test_conversion_is_exact() -> None:
    gas = supply().carriers["gas"].content
    assert gas == Fraction(427, 36)  # 42.7 MJ/m3 in mWh per mL
    assert supply().plants["heat-plant"].ratios["heat"] == gas * Fraction(92, 100)


@pytest.mark.parametrize("part", ["carrier", "plant", "storage"])
def test_an_unknown_key_is_refused(part: str) -> None:
    table = read_toml("quintet.simulate", "network.toml")
    code, row = next(iter(table[part].items()))
    readers: dict[str, Any] = {
        "carrier": module.read_carrier,
        "plant": lambda c, r: module.read_plant(c, r, supply().carriers),
        "storage": module.read_storage,
    }
    readers[part](code, row)
    with pytest.raises(BadInput, match="colour"):
        readers[part](code, {**row, "colour": "green"})
