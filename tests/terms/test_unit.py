"""Units: every shipped row against its definition, and amounts said exactly."""

from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from quintet.terms.catalogue import read_toml
from quintet.terms.errors import BadInput
from quintet.terms.unit import Units, units

J = Fraction(1000, 3600)
"""A joule in mWh."""
CAL = Fraction("4.1868") * J
BTU = Fraction("1055.05585262") * J
FOOT_ML = (Fraction("2.54") * 12) ** 3
GALLON_ML = 231 * Fraction("2.54") ** 3
DEFINED: dict[str, tuple[str, Fraction, bool]] = {
    "mWh": ("energy", Fraction(1), False),
    "Wh": ("energy", Fraction(10**3), False),
    "kWh": ("energy", Fraction(10**6), False),
    "MWh": ("energy", Fraction(10**9), False),
    "GWh": ("energy", Fraction(10**12), False),
    "J": ("energy", J, False),
    "kJ": ("energy", J * 10**3, False),
    "MJ": ("energy", J * 10**6, False),
    "GJ": ("energy", J * 10**9, False),
    "TJ": ("energy", J * 10**12, False),
    "kcal": ("energy", CAL * 10**3, False),
    "Mcal": ("energy", CAL * 10**6, False),
    "Gcal": ("energy", CAL * 10**9, False),
    "toe": ("energy", CAL * 10**10, False),
    "therm": ("energy", BTU * 10**5, False),
    "ton_h": ("energy", BTU * 12_000, False),
    "mL": ("volume", Fraction(1), False),
    "L": ("volume", Fraction(10**3), False),
    "hL": ("volume", Fraction(10**5), False),
    "m3": ("volume", Fraction(100) ** 3, False),
    "US_gal": ("volume", GALLON_ML, False),
    "ft3": ("volume", FOOT_ML, False),
    "mvarh": ("reactive_energy", Fraction(1), False),
    "varh": ("reactive_energy", Fraction(10**3), False),
    "kvarh": ("reactive_energy", Fraction(10**6), False),
    "udegC_h": ("air_temperature", Fraction(1), False),
    "degC_h": ("air_temperature", Fraction(10**6), False),
    "degC": ("air_temperature", Fraction(10**6), True),
    "uK_h": ("temperature", Fraction(1), False),
    "K_h": ("temperature", Fraction(10**6), False),
    "K": ("temperature", Fraction(10**6), True),
    "mPa_h": ("pressure", Fraction(1), False),
    "kPa_h": ("pressure", Fraction(10**6), False),
    "Pa": ("pressure", Fraction(10**3), True),
    "hPa": ("pressure", Fraction(10**5), True),
    "kPa": ("pressure", Fraction(10**6), True),
    "bar": ("pressure", Fraction(10**8), True),
    "upct_h": ("humidity", Fraction(1), False),
    "pct_h": ("humidity", Fraction(10**6), False),
    "pct": ("humidity", Fraction(10**6), True),
    "pg_m3_h": ("particles", Fraction(1), False),
    "ug_m3_h": ("particles", Fraction(10**6), False),
    "ug_m3": ("particles", Fraction(10**6), True),
    "uperson_h": ("occupancy", Fraction(1), False),
    "person_h": ("occupancy", Fraction(10**6), False),
    "person": ("occupancy", Fraction(10**6), True),
    "W": ("energy", Fraction(10**3), True),
    "kW": ("energy", Fraction(10**6), True),
    "MW": ("energy", Fraction(10**9), True),
    "var": ("reactive_energy", Fraction(10**3), True),
    "kvar": ("reactive_energy", Fraction(10**6), True),
    "m3_h": ("volume", Fraction(10**6), True),
    "L_h": ("volume", Fraction(10**3), True),
    "L_min": ("volume", Fraction(10**3) * 60, True),
}
"""Every unit from its definition: SI, the inch of 2.54 cm, the calorie of 4.1868 J, the BTU of ISO 31-4."""
ESPI_UOM = {"Wh": 72, "m3": 42, "J": 31, "therm": 169, "L": 134}
ROWS: dict[str, Any] = read_toml("quintet.terms", "units.toml")["unit"]
TABLE = {"quantity": {"energy": {"sub_unit": "mWh"}}, "unit": {"kWh": {"quantity": "energy", "ratio": [10**6, 1]}}}


def test_the_table_is_not_empty_and_every_row_is_proved_here() -> None:
    assert set(ROWS) == set(DEFINED)


@pytest.mark.parametrize("code", ROWS)
def test_a_unit_is_what_its_definition_says(code: str) -> None:
    unit = units()[code]
    assert (unit.quantity, unit.ratio, unit.rate) == DEFINED[code]
    assert unit.espi == ESPI_UOM.get(code)
    assert unit.code == code


def test_an_alias_is_the_same_unit() -> None:
    aliases = {name: code for code, row in ROWS.items() for name in row.get("aliases", [])}
    assert {"kL", "m³", "m3/h", "L/min", "litre"} <= set(aliases)
    for name, code in aliases.items():
        assert units()[name] is units()[code] is units().get(name)


def test_each_quantity_has_a_sub_unit_of_one() -> None:
    amounts = {"energy": "mWh", "volume": "mL", "reactive_energy": "mvarh"}
    conditions = {"air_temperature": "udegC_h", "temperature": "uK_h", "pressure": "mPa_h"}
    service = {"humidity": "upct_h", "particles": "pg_m3_h", "occupancy": "uperson_h"}
    assert units().sub_units == {**amounts, **conditions, **service}
    for quantity, code in units().sub_units.items():
        assert (units()[code].quantity, units()[code].ratio, units()[code].rate) == (quantity, 1, False)


@pytest.mark.parametrize("name", ["kwh", "KWH", "", "kWh ", "BTU", "Nm3"])
def test_an_unknown_unit_is_none_or_refused(name: str) -> None:
    assert units().get(name) is None
    with pytest.raises(BadInput, match="unknown unit") as caught:
        units()[name]
    assert caught.value.code == "unknown_unit"
    assert "kWh" in caught.value.remedy


EXACT = [
    code for code, (_, ratio, rate) in DEFINED.items() if not rate and ratio in {Fraction(10**n) for n in range(20)}
]


def test_units_of_a_power_of_ten_show_exactly_and_no_others() -> None:
    amounts = {"mWh", "Wh", "kWh", "MWh", "GWh", "mL", "L", "hL", "m3", "mvarh", "varh", "kvarh"}
    conditions = {"udegC_h", "degC_h", "uK_h", "K_h", "mPa_h", "kPa_h"}
    service = {"upct_h", "pct_h", "pg_m3_h", "ug_m3_h", "uperson_h", "person_h"}
    assert amounts | conditions | service == set(EXACT)
    for code in set(DEFINED) - set(EXACT):
        with pytest.raises(BadInput, match="cannot show"):
            units()[code].to_decimal(1)


@given(st.integers(-(10**38), 10**38), st.sampled_from(EXACT))
def test_an_amount_is_said_exactly_without_trailing_zeros(amount: int, code: str) -> None:
    said = units()[code].to_decimal(amount)
    assert Fraction(said) * DEFINED[code][1] == amount
    text = format(said, "f")
    assert "E" not in (text if units()[code].decimals > 6 else str(said))
    assert "." not in text or not text.endswith("0")
    assert Decimal(text) == said


@pytest.mark.parametrize(
    ("amount", "code", "text"),
    [
        (0, "kWh", "0"),
        (1, "kWh", "0.000001"),
        (-1, "kWh", "-0.000001"),
        (1_500_000, "kWh", "1.5"),
        (-10_000_000, "kWh", "-10"),
        (2**63, "m3", "9223372036854.775808"),
        (120, "mL", "120"),
    ],
)
def test_amounts_read_as_people_write_them(amount: int, code: str, text: str) -> None:
    assert str(units()[code].to_decimal(amount)) == text


@pytest.mark.parametrize(
    "row",
    [
        {"MWh": {"quantity": "energy", "ratio": [10**9, 1], "factor": 3}},
        {"MWh": {"quantity": "energy"}},
        {"MWh": {"quantity": "force", "ratio": [1, 1]}},
        {"MWh": {"quantity": "energy", "ratio": [10**9, 1], "aliases": ["kWh"]}},
    ],
    ids=["unknown key", "no ratio", "unknown quantity", "a name twice"],
)
def test_a_row_that_says_too_much_or_too_little_is_refused(row: dict[str, Any]) -> None:
    Units(TABLE)
    with pytest.raises(BadInput):
        Units({**TABLE, "unit": {**TABLE["unit"], **row}})


def test_a_quantity_with_an_unknown_key_is_refused() -> None:
    with pytest.raises(BadInput, match="unknown colour"):
        Units({"quantity": {"energy": {"sub_unit": "mWh", "colour": "red"}}, "unit": {}})
