"""What rows state of their numbers, against every shipped commodity, unit and kind."""

from typing import Any

import pytest

from quintet.registry.layout import Fault, Stated
from quintet.registry.meaning import RATES, Meanings
from quintet.terms.commodity import commodities
from quintet.terms.reading import Role, ValueKind
from quintet.terms.unit import units

STATED = Stated("electricity", "kWh", "interval_sum", 15, "UTC", "consumption", None, None, None)


def read(**stated: Any) -> Any:
    return Meanings(commodities()).read(STATED._replace(**stated))


@pytest.mark.parametrize("code", sorted(commodities().rows))
def test_every_commodity_is_read_in_its_display_units(code: str) -> None:
    for quantity, unit in commodities()[code].measures.items():
        body = read(commodity=code, unit=unit)
        assert (body["commodity"], body["quantity"], body["word"]) == (code, quantity, code)


@pytest.mark.parametrize("kind", list(ValueKind))
def test_every_kind_takes_amounts_or_rates_and_not_both(kind: ValueKind) -> None:
    fine = {unit: not isinstance(read(unit=unit, value_kind=kind.value), Fault) for unit in ("kWh", "kW")}
    assert fine == {"kWh": kind not in RATES, "kW": kind in RATES}
    assert units()["kW"].rate


@pytest.mark.parametrize("role", list(Role))
def test_every_role_is_kept(role: Role) -> None:
    assert read(role=role.value)["role"] == role.value


@pytest.mark.parametrize("word", sorted(commodities().aliases))
def test_an_alias_gives_its_role_unless_the_row_does(word: str) -> None:
    alias = commodities().aliases[word]
    body = read(commodity=word, role=None)
    assert (body["commodity"], body["role"], body["word"]) == (alias.commodity, alias.role, word)
    assert body.get("renewable", False) is alias.renewable
    assert read(commodity=word, role="export")["role"] == "export"


@pytest.mark.parametrize(
    ("given", "kept"), [("1", "1"), (None, "1"), (10, "10"), (0.001, "0.001"), (" 2.50 ", "2.50"), ("1e-3", "1e-3")]
)
def test_a_multiplier_is_kept_as_decimal_text(given: Any, kept: str) -> None:
    assert read(multiplier=given)["multiplier"] == kept


@pytest.mark.parametrize("given", [0, -1, "0", "-2", "NaN", "1,5", "x"])
def test_a_multiplier_that_is_no_positive_decimal_is_a_fault(given: Any) -> None:
    assert read(multiplier=given).code == "bad_multiplier"


@pytest.mark.parametrize("given", [0, -1, 1.5, "x", 1e400, "NaN", True])
def test_dials_that_are_no_count_are_a_fault(given: Any) -> None:
    assert read(dials=given).code == "bad_dials"


def test_what_is_not_stated_is_not_kept() -> None:
    assert not read().keys() & {"dials", "plate_max", "renewable"}


def test_nothing_stated_is_a_fault_and_no_traceback() -> None:
    nothing = Stated(None, None, None, None, None, None, None, None, None)
    assert isinstance(Meanings(commodities()).read(nothing), Fault)
    for field in ("commodity", "unit", "value_kind", "tz", "role"):
        assert isinstance(read(**{field: None}), Fault)


def test_each_way_of_counting_is_checked_once() -> None:
    meanings = Meanings(commodities())
    assert meanings.read(STATED) is meanings.read(STATED._replace())
