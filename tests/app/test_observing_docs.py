"""docs/observing.md names every figure and every event, and no others."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families

from quintet.app.city import City
from quintet.app.logs import EVENTS
from quintet.app.metrics import MetricsPart
from quintet.app.metrics_watch import Door
from quintet.pipeline.grouping import Stats

from .seen_city import Clock, made


@pytest.fixture
def city(tmp_path: Path) -> Iterator[City]:
    city = made(tmp_path / "city", Clock())
    city.watch.stats = Stats()
    city.watch.listeners = lambda: 0
    city.watch.doors.append(lambda: [Door("http", "up", {"bodies": 1.0})])
    yield city
    city.close()


def listed(root: Path, heading: str) -> dict[str, list[str]]:
    """Give the rows of the table below a heading by the name that they begin with."""
    text = (root / "docs/observing.md").read_text(encoding="utf-8").split(f"## {heading}\n")[1].split("\n## ")[0]
    rows = [line.strip("|").split("|") for line in text.splitlines() if line.startswith("| `")]
    return {row[0].strip(" `"): [cell.strip() for cell in row[1:]] for row in rows}


def test_every_figure_is_documented_with_its_labels(city: City, root: Path) -> None:
    told = listed(root, "/metrics")
    found = list(text_string_to_metric_families(MetricsPart(city.observer).text().decode()))
    names = {family.name + ("_total" if family.type == "counter" else "") for family in found}
    absent = {"quintet_newest_reading_age_seconds"}  # nothing was read yet
    assert set(told) - absent == names - absent
    for family in found:
        name = family.name + ("_total" if family.type == "counter" else "")
        for sample in family.samples:
            assert set(sample.labels) - {"le"} == set(re.findall(r"\w+", told[name][0])), name


def test_every_event_is_documented_with_its_level(root: Path) -> None:
    told = listed(root, "The log")
    assert {name: cells[0] for name, cells in told.items()} == {name: level for name, (level, _) in EVENTS.items()}
