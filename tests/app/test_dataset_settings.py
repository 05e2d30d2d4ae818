"""A dataset's city.toml may state what a city's own does: also of its books."""

import json
from pathlib import Path

from .conftest import RunHere
from .test_clocks import dataset

TARGET = """
[[target]]
place = "city"
year = 2025
metric = "emissions"
of = "total"
value = "12 tCO2e"
by = "council"
why = "plan"
"""


def test_targets_of_a_dataset_count(run: RunHere, tmp_path: Path) -> None:
    folder = dataset(tmp_path / "d", "Asia/Seoul")
    (folder / "city.toml").write_text((folder / "city.toml").read_text() + TARGET)
    assert run("init", "c")[0] == 0
    code, out, err = run("ingest", str(folder), "--city", "c", "--format", "json")
    assert (code, json.loads(out)["accepted"]) == (0, 48), err
    code, out, err = run("targets", "--city", "c", "--year", "2025", "--format", "json")
    assert code == 0, err
    assert [one["target"] for one in json.loads(out)["targets"]] == [12_000]


def test_a_bad_row_names_the_datasets_file_and_nothing_is_taken(run: RunHere, tmp_path: Path) -> None:
    folder = dataset(tmp_path / "d", "Asia/Seoul")
    (folder / "city.toml").write_text((folder / "city.toml").read_text() + TARGET.replace('"12 tCO2e"', '"much"'))
    assert run("init", "c", "--timezone", "Asia/Seoul")[0] == 0
    code, _, err = run("ingest", str(folder), "--city", "c")
    assert code == 1
    assert f"{folder / 'city.toml'}, target" in err
    assert run("meters", "list", "--city", "c", "--format", "csv")[1].count("\n") == 1
    (folder / "city.toml").write_text("[plants]\nx = 1\n")
    code, _, err = run("ingest", str(folder), "--city", "c")
    assert code == 1
    assert str(folder / "city.toml") in err
    assert "meters.csv" not in err
