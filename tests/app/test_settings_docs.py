"""docs/settings.md names each table of city.toml, each key of quintet.toml and each variable that the program reads."""

import re
from pathlib import Path

from quintet.app.ledger_settings import TABLES_HERE
from quintet.app.rules_table import RULES
from quintet.registry.settings import TABLES

BENCH = "QUINTET_BENCH_"
"""Variables of the benchmarks, which docs/performance.md names."""


def page(root: Path) -> str:
    return (root / "docs" / "settings.md").read_text(encoding="utf-8")


def test_every_table_of_a_city_is_named_and_no_other(root: Path) -> None:
    _, _, of_city = page(root).partition("## `city.toml`")
    assert set(re.findall(r"`\[{1,2}(\w+)[.\]]", of_city)) == {RULES, *TABLES, *TABLES_HERE}


def test_every_variable_that_the_program_reads_is_named(root: Path) -> None:
    sources = (root / "src" / "quintet").rglob("*.py")
    read = {name for path in sources for name in re.findall(r"\bQUINTET_[A-Z_]*[A-Z]\b", path.read_text("utf-8"))}
    assert {"QUINTET_CITY", "QUINTET_MQTT_PASSWORD"} <= read
    assert {name for name in read if not name.startswith(BENCH) and f"`{name}`" not in page(root)} == set()
    performance = (root / "docs" / "performance.md").read_text(encoding="utf-8")
    ledger = (root / "docs" / "ledger.md").read_text(encoding="utf-8")
    assert {name for name in read if name.startswith(BENCH) and name not in performance + ledger} == set()
