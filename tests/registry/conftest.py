"""A book of records with batches, as the store keeps them, and meters tables from rows that say only what matters."""

import json
from dataclasses import dataclass, field, replace
from typing import Any

import pyarrow as pa
import pytest

from quintet.registry import Registry, from_dataset
from quintet.store.records import Record, believed

ROW: dict[str, Any] = {
    "site": "s1",
    "building": "b1",
    "meter": "m1",
    "commodity": "electricity",
    "unit": "kWh",
    "value_kind": "register_cumulative",
    "cadence_min": 15,
    "tz": "Asia/Seoul",
    "role": "consumption",
}


def table(*rows: dict[str, Any]) -> pa.Table:
    """Give a meters table; a row states what differs from ROW."""
    whole = [{**ROW, **row} for row in rows]
    names = list(dict.fromkeys(name for row in whole for name in row))
    return pa.table({name: [row.get(name) for row in whole] for name in names})


@dataclass
class Book:
    """Committed records, batch by batch."""

    records: list[Record] = field(default_factory=list)
    batch: int = 0

    def commit(self, records: list[Record]) -> int:
        self.batch += 1
        assert all(record.batch == 0 for record in records)
        for record in records:
            body = json.loads(json.dumps(record.body, allow_nan=False))
            assert body == record.body
            self.records.append(replace(record, batch=self.batch, body=body))
        return self.batch

    def registry(self, known_at: int | None = None) -> Registry:
        batch = self.batch if known_at is None else known_at
        return Registry.from_records(believed([record for record in self.records if record.batch <= batch]))

    def register(self, *rows: dict[str, Any], **more: Any) -> Registry:
        """Register rows that must all be fine; give the registry after that."""
        found = from_dataset(self.registry(), table(*rows), **more)
        assert found.problems.to_pylist() == []
        self.commit(found.records)
        return self.registry()


def placed(registry: Registry, name: str) -> list[tuple[str, str, int, int, int]]:
    """Give where a channel counts: place, flow, sign, start and end."""
    channel = registry.channel_by_name(name).id
    rows = registry.placements().to_pylist()
    keys = ("place", "flow", "sign", "start_us", "end_us")
    return [tuple(row[key] for key in keys) for row in rows if row["channel"] == channel]  # type: ignore[misc]


@pytest.fixture
def book() -> Book:
    return Book()


@pytest.fixture(name="table")
def table_fixture() -> Any:
    return table


@pytest.fixture(name="placed")
def placed_fixture() -> Any:
    return placed
