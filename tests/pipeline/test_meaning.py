"""What the registry says of a meter is evidence too: corrected, it gives what it would have given from the start."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pyarrow as pa
import pytest

from quintet.terms.tables import QUARANTINE

START = datetime(2025, 1, 3, tzinfo=UTC)
METER = {
    "site": "s", "building": "b", "meter": "m", "commodity": "water", "unit": "m3", "value_kind": "register_cumulative",
    "cadence_min": 60, "tz": "UTC", "role": "consumption",
}  # fmt: skip
ROWS = [("m", START + timedelta(minutes=60 * n, seconds=7 * n % 60), round(n * 0.173, 3)) for n in range(72)]


def register(bench: Any, **said: object) -> None:
    bench.pipeline.register(pa.Table.from_pylist([{**METER, **said}]), source="meters", actor="test")


@pytest.mark.parametrize("said", [{"multiplier": "10"}, {"unit": "L"}, {"cadence_min": 15}, {"plate_max": "0.1"}])
@pytest.mark.parametrize("closed", [False, True])
def test_a_corrected_meaning_gives_what_it_would_have_given_from_the_start(
    new_bench: Callable[[], Any], said: dict[str, object], *, closed: bool
) -> None:
    right, corrected = new_bench(), new_bench()
    register(right, **said)
    right.send(ROWS)
    register(corrected)
    corrected.send(ROWS)
    wrong = corrected.effective()
    before = corrected.engine.last_batch
    if closed:
        corrected.close_all()
    register(corrected, **said)
    assert corrected.effective() == right.effective()
    assert corrected.rollup_days() == right.rollup_days()
    assert corrected.effective() != wrong
    assert corrected.effective(before) == wrong
    late = [("m", ROWS[-1][1] + timedelta(hours=1), 13.0)]
    for bench in (right, corrected):
        bench.send(late)
    assert corrected.effective() == right.effective()


def test_the_same_amount_in_two_units_is_no_conflict_and_the_lower_of_two_amounts_counts(bench: Any) -> None:
    bench.register(e=("electricity", "kWh", "interval_sum", 60))
    bench.send([("e", START, 1.0)])
    names = ["Wh", "kWh", "Wh", "kWh"]
    moments = [START + timedelta(hours=n) for n in (1, 1, 2, 2)]
    table = pa.table(
        {
            "site": ["s"] * 4, "meter": ["e"] * 4, "at": pa.array(moments, pa.timestamp("us", "UTC")),
            "value": [100.0, 0.1, 100.0, 5.0], "commodity": pa.nulls(4, pa.string()), "unit": names,
            "row": pa.array(range(1, 5), pa.int64()),
        }
    )  # fmt: skip
    nothing = bench.pipeline.commit([(table.slice(0, 0), QUARANTINE.empty_table())], source="none", actor="test")
    assert nothing.accepted == 0
    bench.pipeline.commit([(table, QUARANTINE.empty_table())], source="two units", actor="test")
    assert [row[2:] for row in bench.effective()] == [(1_000_000, 1), (100_000, 1), (100_000, 2)]
