"""The codes of ESPI: the names of our table are those that the published schema gives them."""

import tomllib
from importlib.resources import files
from pathlib import Path

import pytest
from lxml import etree

from quintet.protocols import espi_codes
from quintet.protocols.espi_codes import codes
from quintet.terms.commodity import commodities
from quintet.terms.errors import BadInput
from quintet.terms.quality import qualities
from quintet.terms.reading import Role

from .espi_schema import schema_file

XS = "{http://www.w3.org/2001/XMLSchema}"
CARRIERS = {
    "electricity": ("electricity SecondaryMetered", 1), "gas": ("naturalGas", 7), "water": ("potableWater", 9),
    "heat": ("heatingFluid", 12), "hot_water": ("heatingFluid", 12),
}  # fmt: skip


@pytest.fixture(scope="module")
def names(shared: Path) -> dict[str, dict[int, str]]:
    """Give what the schema calls each code, by type."""
    root = etree.parse(schema_file(shared)).getroot()
    return {
        kind.get("name"): {
            int(one.get("value")): (one.findtext(f".//{XS}appinfo") or "")
            for one in kind.iter(f"{XS}enumeration") if one.get("value").lstrip("-").isdigit()
        }
        for kind in root.iter(f"{XS}simpleType") if kind.get("name")
    }  # fmt: skip


def test_every_code_is_called_what_the_schema_calls_it(names: dict[str, dict[int, str]]) -> None:
    table = tomllib.loads(files("quintet.protocols").joinpath("data", "espi.toml").read_text(encoding="utf-8"))
    for row in table["service"].values():
        assert names["ServiceKind"][row["kind"]] == row["name"]
    for row in table["measured"].values():
        assert names["MeasurementKind"][row["kind"]] == row["name"]
    for code, row in table["quality"].items():
        assert names["QualityOfReading"][int(code)] == row["name"]
    assert set(map(int, table["quality"])) == set(names["QualityOfReading"])
    assert names["CommodityKind"][2] in table["same"]["2"]["source"]
    amount = table["amount"]
    assert names["AccumulationKind"][amount["accumulation_written"]] == amount["accumulation_name"]
    assert names["DataQualifierKind"][amount["qualifier_written"]] == amount["qualifier_name"]
    for way in codes().ways.values():
        assert names["FlowDirectionKind"][way.flow] == {1: "forward", 19: "reverse", 4: "net"}[way.flow]
    assert names["Currency"][codes().currency] == "other"
    assert {one.power for one in codes().written.values()} <= set(names["UnitMultiplierKind"])


def test_carriers_and_units_of_terms_are_the_schemas(names: dict[str, dict[int, str]]) -> None:
    for carrier, (name, code) in CARRIERS.items():
        assert code in commodities()[carrier].espi.values()
        assert names["CommodityKind"][code] == name
    said = {code: names["UnitSymbolKind"][code] for code in codes().units}
    assert said == {72: "Wh", 73: "VArh", 31: "J", 169: "therm", 42: "m3", 134: "litre", 119: "ft3"}


def test_every_quality_goes_out_under_a_code_that_comes_in_again() -> None:
    for one in qualities().values():
        assert one.espi in codes().qualities


@pytest.mark.parametrize("role", list(Role))
def test_a_role_is_one_direction(role: Role) -> None:
    assert codes().ways[role].flow in {1, 4, 19}


def test_only_what_flows_one_way_may_leave_out_the_direction() -> None:
    assert codes().role(None, 0, 9) is Role.CONSUMPTION
    assert codes().role(0, 0, 1) is None
    assert codes().role(19, 8, 1) is Role.GENERATION
    assert codes().role(19, 1, 1) is Role.EXPORT
    assert codes().role(20, 0, 1) is None


def test_an_unknown_key_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    table = espi_codes.read_toml("quintet.protocols", "espi.toml")
    table["quality"]["0"]["colour"] = "green"
    monkeypatch.setattr(espi_codes, "read_toml", lambda *_: table)
    with pytest.raises(BadInput, match="unknown colour"):
        codes.__wrapped__()
