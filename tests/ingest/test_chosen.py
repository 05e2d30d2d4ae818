"""With a map only its meters' rows reach the pipeline; what is left out is counted, never lost without a number."""

from contextlib import closing
from pathlib import Path

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from quintet.ingest import find, ingest_dataset
from quintet.ingest.chosen import Chosen
from quintet.pipeline.commit import Pipeline, Receipt
from quintet.protocols import CODED_READINGS
from quintet.store.engine import Engine
from quintet.terms.tables import QUARANTINE
from quintet.vee import rules

WORDS = st.sampled_from(["a", "b", "c"])
PAIRS = st.lists(st.tuples(WORDS, WORDS), max_size=12)


def mapping(pairs: list[tuple[str, str]]) -> pa.Table:
    return pa.table({"site": [p[0] for p in pairs], "meter": [p[1] for p in pairs]}).cast(
        pa.schema([("site", pa.string()), ("meter", pa.string())])
    )


def readings(pairs: list[tuple[str, str]]) -> pa.Table:
    rows = [{"site": site, "meter": meter, "row": row} for row, (site, meter) in enumerate(pairs, 1)]
    return pa.concat_tables(
        [pa.Table.from_pylist([row], CODED_READINGS) for row in rows] or [CODED_READINGS.empty_table()]
    )


def refused(pairs: list[tuple[str | None, str | None]]) -> pa.Table:
    same = {"source": "s", "code": "bad", "reason": "bad", "original": "{}"}
    rows = [{**same, "site": site, "meter": meter, "row": row} for row, (site, meter) in enumerate(pairs, 1)]
    return pa.Table.from_pylist(rows, QUARANTINE)


@given(listed=PAIRS, good=PAIRS, bad=PAIRS)
def test_exactly_the_pairs_of_the_map_are_kept(
    listed: list[tuple[str, str]], good: list[tuple[str, str]], bad: list[tuple[str, str]]
) -> None:
    chosen = Chosen(mapping(listed))
    told: list[int] = []
    ((kept, named),) = chosen.parts([(readings(good), refused(list(bad)))], told.append)
    assert kept.schema == CODED_READINGS
    assert kept["row"].to_pylist() == [row for row, pair in enumerate(good, 1) if pair in listed]
    assert named["row"].to_pylist() == [row for row, pair in enumerate(bad, 1) if pair in listed]
    assert chosen.skipped == sum(told) == len(good) + len(bad) - kept.num_rows - named.num_rows


def test_a_bad_row_that_does_not_say_whose_it_is_stays() -> None:
    chosen = Chosen(mapping([(" a ", "b")]))
    ((_, named),) = chosen.parts([(readings([]), refused([(None, "b"), ("a", None), ("a", "b"), ("b", "a")]))])
    assert named["row"].to_pylist() == [1, 2, 3]
    assert chosen.skipped == 1


METERS = """site,building,meter,commodity,unit,value_kind,cadence_min,tz,role
s,b,power,electricity,kWh,interval_sum,60,UTC,consumption
s,b,odd,heat,source_unit,interval_sum,60,UTC,consumption
t,b,power,electricity,kWh,interval_sum,60,UTC,consumption
"""
READINGS = """site,meter,ts_utc,value
s,power,2018-01-01T00:00:00Z,1
s,power,2018-01-01T01:00:00,1
s,odd,2018-01-01T00:00:00Z,1
t,power,2018-01-01T00:00:00Z,1
t,power,2018-01-01T01:00:00Z,
s,ghost,2018-01-01T00:00:00Z,1
,,2018-01-01T00:00:00Z,1
"""


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        (["s,power,V,0", "s,odd,V,0"], Receipt(accepted=1, quarantined=3, skipped=3)),
        (["s,power,V,0", "s,ghost,V,0"], Receipt(accepted=1, quarantined=3, skipped=3)),
        (["t,power,V,0"], Receipt(accepted=1, quarantined=2, skipped=4)),
    ],
)
def test_a_real_city_counts_every_row_once(tmp_path: Path, lines: list[str], expected: Receipt) -> None:
    (tmp_path / "meters.csv").write_text(METERS)
    (tmp_path / "readings.csv").write_text(READINGS)
    (tmp_path / "map.csv").write_text("\n".join(["site,meter,virtual_city,shift_days", *lines]) + "\n")
    (found,) = find([tmp_path], map_file=tmp_path / "map.csv")
    with closing(Engine.open(tmp_path / "city", "UTC")) as engine:
        receipt = ingest_dataset(Pipeline(engine, rules()), found, actor="me")
    assert receipt == expected
