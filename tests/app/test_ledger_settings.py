"""What city.toml states for the books: what has another form, or could never count, is refused by name."""

from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from quintet.app.ledger_settings import factor_rows, ledger_records, split_settings
from quintet.registry import Registry
from quintet.terms.catalogue import read_toml_file
from quintet.terms.errors import BadInput

from .ledger_city import START

FACTOR: dict[str, Any] = {
    "commodity": "electricity", "unit": "MWh", "co2e_kg": "20", "activity": "any", "published_on": "2022-03-01",
    "scope": 2, "purposes": ["inventory"], "gwp": "AR5", "source": "the seller", "certainty": "S",
}  # fmt: skip
CONTRACT: dict[str, Any] = {
    "id": "wind", "commodity": "electricity", "kind": "ppa", "amount": "12 MWh", "from": "2022-03-01",
    "to": "2022-04-01", "factor": "wind", "published_on": "2022-03-01", "source": "the contract",
}  # fmt: skip
SERIES: dict[str, Any] = {
    "id": "grid", "commodity": "electricity", "unit": "MWh", "start": "2022-03-28T00:00:00+09:00",
    "co2e_kg": ["400", "500"], "published_on": "2022-04-01", "source": "the operator", "certainty": "S",
}  # fmt: skip
CALORIFIC: dict[str, Any] = {
    "commodity": "gas", "energy_unit": "MJ", "volume_unit": "m3", "gross": "42.7", "net": "38.5",
    "metered_energy": "gross", "valid_from": "2015-01-01", "published_on": "2015-01-01", "source": "the utility",
    "certainty": "S",
}  # fmt: skip


def taken(tmp_path: Path, **tables: Any) -> int:
    """Take tables as those of a city.toml; give how many records they make."""
    registry, own = Registry.from_records([]), split_settings(tables)[1]
    return len(ledger_records(own, registry, registry.tz, tmp_path / "city.toml"))


def test_what_fits_is_taken(tmp_path: Path) -> None:
    rows = {"factor": {"wind": FACTOR}, "contract": [CONTRACT, CONTRACT], "hourly": [SERIES]}
    assert taken(tmp_path, **rows, calorific={"mine": CALORIFIC}) == 5


@pytest.mark.parametrize(
    ("tables", "place", "words"),
    [
        ({"target": {"place": "city"}}, "target", r"\[\[target\]\]"),
        ({"target": 3}, "target", r"\[\[target\]\]"),
        ({"factor": [FACTOR]}, "factor", r"\[factor\.NAME\]"),
        ({"factor": {"wind": 3}}, "factor", r"\[factor\.NAME\]"),
        ({"emissions": [{"gwp": "AR5"}]}, "emissions", r"\[emissions\]"),
        ({"contract": {"wind": CONTRACT}}, "contract", r"\[\[contract\]\]"),
        ({"factor": {"x": {**FACTOR, "commodity": "elektricity"}}}, "factor x", "unknown commodity elektricity"),
        ({"factor": {"x": {**FACTOR, "unit": "m3"}}}, "factor x", "by its volume"),
        ({"factor": {"x": {**FACTOR, "purposes": "inventory"}}}, "factor x", "purpose, which wants a list"),
        ({"hourly": [{**SERIES, "start": "2022-03-28T00:30:00+09:00"}]}, "hourly factors grid", "whole hour"),
        (
            {"factor": {"wind": FACTOR}, "contract": [{**CONTRACT, "amount": "12 m3"}]},
            "contract wind", "amount of volume",
        ),
        (
            {"factor": {"wind": FACTOR}, "contract": [CONTRACT, {**CONTRACT, "amount": "13 MWh"}]},
            "contract wind", "twice, differently",
        ),
        ({"calorific": {"mine": {**CALORIFIC, "energy_unit": "MJx"}}}, "calorific mine", "'MJx' is no unit of energy"),
    ],
)  # fmt: skip
def test_what_could_never_count_is_refused_by_name(
    tmp_path: Path, tables: dict[str, Any], place: str, words: str
) -> None:
    with pytest.raises(BadInput, match=words) as told:
        taken(tmp_path, **tables)
    assert told.value.place == f"{tmp_path / 'city.toml'}, {place}"


def hourly(tmp_path: Path, moments: list[datetime], head: str = "start,co2e_kg") -> dict[str, Any]:
    lines = [f"{moment.isoformat()},{400 + number}" for number, moment in enumerate(moments)]
    (tmp_path / "grid.csv").write_text("\n".join([head, *lines]) + "\n")
    row = {key: value for key, value in SERIES.items() if key != "co2e_kg"}
    return {"hourly": [{**row, "file": "grid.csv"}]}


def test_an_hourly_file_is_held_against_its_moments(tmp_path: Path) -> None:
    hours = [START + timedelta(hours=number) for number in range(6)]
    assert taken(tmp_path, **hourly(tmp_path, hours)) == 1
    for wrong, line in ((hours[:2] + hours[3:], 4), (hours[::-1], 2), ([*hours, hours[-1]], 8)):
        with pytest.raises(BadInput, match="is due") as told:
            taken(tmp_path, **hourly(tmp_path, wrong))
        assert told.value.place.endswith(f"grid.csv, line {line}")
    with pytest.raises(BadInput, match="column when that nobody reads"):
        taken(tmp_path, **hourly(tmp_path, hours, "when,co2e_kg"))


def test_a_factor_file_has_the_tables_of_a_city(tmp_path: Path) -> None:
    path = tmp_path / "set.toml"
    path.write_text(
        '[factor.wind]\ncommodity = "electricity"\npublished_on = 2026-11-20\n\n'
        '[[contract]]\nid = "wind"\namount = "12 MWh"\n\n[[supply]]\ncommodity = "heat"\nvalid_from = 2026-01-01\n'
    )
    found = factor_rows(read_toml_file(path), path)
    assert found["factor"]["wind"]["published_on"] == "2026-11-20"
    assert list(found["contract"]) == ["wind"]
    assert list(found["supply"]) == ["heat/2026-01-01"]
    path.write_text("factor = 3\n")
    with pytest.raises(BadInput, match=r"\[factor\.NAME\]") as told:
        factor_rows(read_toml_file(path), path)
    assert told.value.place == f"{path}, factor"
