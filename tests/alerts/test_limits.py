"""The thresholds: every number with its source and reason, and a file that holds anything else is refused."""

from pathlib import Path

import pytest

from quintet.alerts.conditions import CONDITIONS
from quintet.alerts.limits import NAMES, limits
from quintet.terms.alert import alert_kinds
from quintet.terms.catalogue import numbers_of, read_toml
from quintet.terms.errors import BadInput


@pytest.mark.parametrize("name", NAMES)
def test_every_threshold_has_its_source_and_reason(name: str) -> None:
    assert limits(name).keys() == set(NAMES[name])
    rows = read_toml("quintet.alerts", f"{name}.toml")["limit"]
    assert all(row["source"].strip() and row["why"].strip() for row in rows.values())


def test_a_key_that_nobody_reads_is_refused() -> None:
    table = read_toml("quintet.alerts", "unresting.toml")
    with pytest.raises(BadInput):
        numbers_of({"limit": {**table["limit"], "more": table["limit"]["rule_hours"]}}, NAMES["unresting"], "x")
    bare = {**table["limit"], "rule_hours": {"value": 72}}
    with pytest.raises(BadInput):
        numbers_of({"limit": bare}, NAMES["unresting"], "x")


def test_every_condition_is_a_kind_and_every_kind_has_one() -> None:
    assert CONDITIONS.keys() == alert_kinds().keys()


def test_every_file_of_thresholds_is_read(root: Path) -> None:
    files = {path.stem for path in (root / "src/quintet/alerts/data").glob("*.toml")}
    assert set(NAMES) <= files
