"""Rows in quarantine are looked at again when a reading came that may settle one of them, and only then."""

from typing import Any

import pyarrow as pa
import pytest

from quintet.pipeline import commit
from quintet.store.quarantine import Wanted, quarantined

from .test_groups import METERS, START, STEP, committed, deliver


@pytest.fixture
def looked(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """List the sources whose rows were looked at."""
    out: list[str] = []
    run = commit.Replay.run

    def counted(self: Any, wanted: Wanted, **named: Any) -> Any:
        out.append(wanted.source)
        return run(self, wanted, **named)

    monkeypatch.setattr(commit.Replay, "run", counted)
    return out


def states(bench: Any) -> list[str]:
    with bench.engine.snapshot() as snapshot:
        return quarantined(snapshot, Wanted(state=""), limit=10)["state"].to_pylist()


def test_rows_are_looked_at_only_when_a_reading_they_wait_for_came(bench: Any, looked: list[str]) -> None:
    bench.register(e=METERS["e"])
    bench.send([("h", START, 2.0), ("e", START, 1.0)], source="file")
    bench.register(**METERS)
    looked.clear()
    for quarter in range(1, 4):
        bench.send([("e", START + STEP * quarter, 1.0), ("h", START + STEP * quarter, 1.0)], source="file")
    assert looked == ["file"], "once after the registry changed"
    assert states(bench) == ["open"]
    committed(bench, deliver([("h", 0, 2.0)], "another"))
    bench.send([("e", START + STEP * 4, 1.0)], source="file")
    assert looked == ["file", "file"], "the reading came through another door"
    assert states(bench) == ["taken"]
    bench.send([("e", START + STEP * 5, 1.0), ("x", START, 1.0)], source="file")
    bench.send([("e", START + STEP * 6, 1.0)], source="file")
    assert len(looked) == 3, "and once for the new row"


def test_made_up_names_are_not_kept_for_ever(bench: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("quintet.pipeline.names.MOST_REFUSED", 10)
    bench.register(e=METERS["e"])
    names = bench.pipeline.normaliser()._names
    for number in range(50):
        made_up = [f"made up {number} {n}" for n in range(4)]
        silent = pa.nulls(5, pa.string())
        rows = pa.table({"site": ["s"] * 5, "meter": [*made_up, "e"], "commodity": silent, "unit": silent})
        known, which = names.resolve(rows)
        assert known.meant.channel[which].tolist() == [-1, -1, -1, -1, 1]
        assert {known.why[one][0] for one in which[:4].tolist()} == {"unregistered_meter"}
        assert len(known.why) <= 14
