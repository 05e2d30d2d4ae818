"""Every case of the published and derived vectors for greenhouse gases and self-sufficiency, through the command line.

Published: GHG-1, GHG-2 (the gases behind it are from memory), SS-1, SS-2. Derived from published factors or by
definition: GHG-3, GHG-4, GHG-5, CFE-1. None is left out: the last tests count them.
"""

import json
import shlex
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from quintet.app.cli import build
from quintet.ledger.factors import factors, gwp_sets
from quintet.terms.catalogue import read_toml

Need = Callable[[Path | str, str], Path]
Compute = Callable[[str], dict[str, Any]]


def cases_of(folder: Path) -> dict[str, Any]:
    rows = json.loads((folder / "cases.json").read_text(encoding="utf-8"), parse_float=Decimal)
    return {row["id"]: row for row in rows}


@pytest.fixture(scope="module")
def ghg(shared: Path, need: Need) -> Path:
    """Give the folder of the vectors for greenhouse gases."""
    return need(shared / "vectors" / "ghg", "the vectors stand beside the checkout")


@pytest.fixture(scope="module")
def shares(shared: Path, need: Need) -> dict[str, Any]:
    """Give the cases for self-sufficiency."""
    return cases_of(need(shared / "vectors" / "self_sufficiency", "the vectors stand beside the checkout"))


@pytest.fixture
def compute(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Compute:
    """Run one command and read what it prints, decimals exactly."""
    monkeypatch.chdir(tmp_path)

    def compute(line: str) -> dict[str, Any]:
        assert build()(shlex.split(f"{line} --format json"), exit_on_error=False) == 0
        return json.loads(capsys.readouterr().out, parse_float=Decimal)

    return compute


def test_ghg1_a_published_sum_with_a_factor_of_ones_own(ghg: Path, compute: Compute, tmp_path: Path) -> None:
    case = cases_of(ghg)["GHG-1"]
    row = read_toml("quintet.ledger", "factors.toml")["factor"]["kr_electricity_2023"]
    row |= {"co2e_kg": str(case["ef"] * 1000), "source": "a published example"}
    text = "".join(f"{key} = {json.dumps(value)}\n" for key, value in row.items())
    (tmp_path / "own.toml").write_text(f"[factor.own]\n{text}", encoding="utf-8")
    found = compute(
        f"emissions compute --commodity electricity --amount '{case['mwh']} MWh' --factors own.toml --factor own"
    )
    assert found["t_co2e"] == case["expect_t"]


def test_ghg2_the_published_mean_from_its_gases(ghg: Path, compute: Compute) -> None:
    case = cases_of(ghg)["GHG-2"]
    found = compute(
        "emissions compute --commodity electricity --amount '1 MWh' --year 2015 --purpose public_target --gwp SAR"
    )
    assert [found["gases"][gas] for gas in ("co2", "ch4", "n2o")] == [
        case["co2_t_per_mwh"] * 1000, case["ch4_kg_per_mwh"], case["n2o_kg_per_mwh"],
    ]  # fmt: skip
    assert {gas: found["gwp_weights"][gas] for gas in case["gwp"]} == case["gwp"]
    assert round(found["t_co2e"], 5) == case["expect_tco2e_per_mwh"], "published with five decimals"


def test_ghg3_natural_gas_by_volume(ghg: Path, compute: Compute) -> None:
    case = cases_of(ghg)["GHG-3"]
    line = f"emissions compute --commodity gas --use {case['use']} --gwp AR5 --amount"
    for amount in (f"{case['nm3']} m3", f"{case['nm3']} Nm3", f"{case['nm3'] * case['ncv_MJ_nm3']} MJ"):
        basis = "--basis net" if amount.endswith("MJ") else ""
        assert compute(f"{line} '{amount}' {basis}")["gases"] == case["expect_kg"]


def test_ghg4_heat_of_a_branch(ghg: Path, compute: Compute) -> None:
    case = cases_of(ghg)["GHG-4"]
    found = compute(
        f"emissions compute --commodity heat --branch capital --year 2021 --gwp SAR --amount '{case['heat_GJ']} GJ'"
    )
    assert found["kg_co2e"] == case["expect_kg_co2e"]
    assert {gas: found["factor"]["kg"][gas] for gas in case["ef_kg_per_TJ"]} == case["ef_kg_per_TJ"]


def test_ghg5_the_factor_is_of_the_year_of_activity(ghg: Path, compute: Compute) -> None:
    case = cases_of(ghg)["GHG-5"]
    for name, tonnes in case["series"].items():
        years = range(int(name[:4]), int(name[:2] + name[5:7]) + 1) if name.endswith("avg") else [int(name)]
        purpose = "three_year_mean" if name.endswith("avg") else "inventory"
        for year in years:
            line = f"emissions compute --commodity electricity --year {year} --purpose {purpose}"
            assert compute(f"{line} --amount '{case['mwh']} MWh'")["t_co2e"] == tonnes


def test_every_factor_and_weight_of_the_vectors_is_shipped(ghg: Path, compute: Compute) -> None:
    table = json.loads((ghg / "factors.json").read_text(encoding="utf-8"), parse_float=Decimal)
    for branch, (co2, ch4, n2o) in table["kdhc_2021_kg_per_TJ"].items():
        for unit in ("TJ", "GJ"):
            line = f"emissions compute --commodity heat --branch {branch} --year 2021 --gwp SAR --amount '1 {unit}'"
            share = 1 if unit == "TJ" else 1000
            assert compute(line)["kg_co2e"] == (co2 + ch4 * 21 + n2o * 310) / share
    for name, weights in table["gwp100"].items():
        for key, weight in weights.items():
            gas, _, kind = key.partition("_")
            found = [row for row in gwp_sets().values() if row.id.startswith(f"{name}_{kind}".rstrip("_"))]
            assert found
            assert {row.weights[gas.lower()] for row in found} == {weight}
    shipped = {row.co2e_kg for row in factors().rows.values() if row.unit == "MWh"}
    assert {tonnes * 1000 for tonnes in table["kr_grid_tco2e_per_mwh_consumption_end"].values()} <= shipped


def test_ss1_and_ss2_published_shares(shares: dict[str, Any], compute: Compute) -> None:
    one, two = shares["SS-1"], shares["SS-2"]
    for more in ("", f"--self-consumed {one['self_consumed']} --interval year"):
        found = compute(f"selfsufficiency compute --load {one['demand']} --own {one['pv']} {more}")
        assert found["interval_autarky"] == one["expect"]["self_sufficiency"]
        assert found["self_consumption"] == one["expect"]["self_consumption"]
    for more in (f"--self-consumed {two['self_consumed']}", f"--export {two['export']}"):
        found = compute(f"selfsufficiency compute --load {two['demand']} --own {two['pv']} {more} --interval year")
        assert found["interval_autarky"] == two["expect"]["self_sufficiency"]
        assert found["energy_offset"] == two["expect"]["energy_offset"]


def test_cfe1_by_the_hour_and_by_the_year(shares: dict[str, Any], compute: Compute) -> None:
    case = shares["CFE-1"]
    load, own = (",".join(map(str, case[name])) for name in ("load", "cfe"))
    found = compute(f"selfsufficiency compute --load {load} --own {own}")
    assert (found["cfe_hourly"], found["power_renewable"]) == (case["expect"]["hourly"], case["expect"]["annual"])


def test_no_case_is_left_out(ghg: Path, shares: dict[str, Any]) -> None:
    assert set(cases_of(ghg)) == {f"GHG-{i}" for i in range(1, 6)}
    assert set(shares) == {"SS-1", "SS-2", "CFE-1"}
