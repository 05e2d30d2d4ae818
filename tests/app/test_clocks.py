"""A city's clock: an empty city goes by that of its first dataset; from the first reading on it stands."""

import json
from pathlib import Path

from quintet.app.city import City

from .conftest import RunHere

HEAD = "site,building,meter,commodity,unit,value_kind,cadence_min,tz,role\n"
HOURS = [f"2025-03-{1 + hour // 24:02d}T{hour % 24:02d}:00:00+09:00" for hour in range(48)]


def dataset(folder: Path, timezone: str) -> Path:
    """Write a meter that uses 1 kWh an hour over two days of Seoul, and settings of a clock."""
    folder.mkdir()
    (folder / "meters.csv").write_text(f"{HEAD}a,b,m,electricity,kWh,interval_sum,60,Asia/Seoul,consumption\n")
    rows = [f"a,m,{at},{1 + number % 2}" for number, at in enumerate(HOURS)]
    (folder / "readings.csv").write_text("\n".join(["site,meter,ts_utc,value", *rows]) + "\n")
    (folder / "city.toml").write_text(f'[city]\nname_en = "N"\nname_ko = "N"\ntimezone = "{timezone}"\n')
    return folder


def used(run: RunHere, city: str) -> list[tuple[str, float]]:
    """Give each day's use."""
    words = ("--city", city, "--from", "2025-03-01", "--to", "2025-03-03", "--resolution", "day")
    code, out, err = run("balance", *words, "--format", "json")
    assert code == 0, err
    return [(row["start"], row["consumption"]) for row in json.loads(out)["rows"] if row["commodity"] == "electricity"]


def test_an_empty_city_takes_the_clock_of_its_first_dataset(run: RunHere, tmp_path: Path) -> None:
    assert run("init", "c")[0] == 0
    code, _, err = run("ingest", str(dataset(tmp_path / "d", "Asia/Seoul")), "--city", "c")
    assert code == 0, err
    assert "goes by the clock of Asia/Seoul" in err
    days = [("2025-03-01T00:00:00+09:00", 36), ("2025-03-02T00:00:00+09:00", 36)]
    assert used(run, "c") == days
    city = City.open(tmp_path / "c")
    assert city.engine.tz.key == city.registry().tz.key == "Asia/Seoul"
    city.close()
    assert used(run, "c") == days


def test_a_city_with_readings_keeps_its_clock(run: RunHere, tmp_path: Path) -> None:
    assert run("init", "c", "--timezone", "Asia/Seoul")[0] == 0
    assert run("ingest", str(dataset(tmp_path / "d", "Asia/Seoul")), "--city", "c")[0] == 0
    before = used(run, "c")
    code, _, err = run("ingest", str(dataset(tmp_path / "e", "Europe/Berlin")), "--city", "c")
    assert code == 1
    assert "clock of Europe/Berlin" in err
    assert "quintet init CITY --timezone Europe/Berlin" in err
    assert used(run, "c") == before
