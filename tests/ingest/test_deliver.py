"""A dataset goes through the door in order, one batch a file, and into a real city."""

from collections.abc import Generator, Iterable
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any

import pyarrow as pa
import pyarrow.csv as pacsv
import pyarrow.parquet as pq
import pytest

from quintet.ingest import Door, Progress, commit_readings, find, ingest_dataset, load_map, register_meters
from quintet.pipeline.commit import Pipeline, Receipt, RegisterReceipt
from quintet.store.engine import Engine
from quintet.terms.errors import BadInput
from quintet.vee import rules

METERS = """site,building,meter,commodity,unit,value_kind,cadence_min,tz,role
s,b,power,electricity,kWh,interval_sum,60,UTC,consumption
s,b,water,water,m3,register_cumulative,60,UTC,consumption
s,b,odd,heat,source_unit,interval_sum,60,UTC,consumption
"""
HEADER = "site,meter,ts_utc,value\n"
LINES = [f"s,power,2018-01-01T{hour:02d}:00:00Z,{hour}.5\n" for hour in range(24)]
LINES += [f"s,water,2018-01-01T{hour:02d}:00:00+00:00,{100 + hour}\n" for hour in range(24)]


@dataclass
class Book:
    """A door that writes down what is brought to it."""

    calls: list[tuple[str, str, str]] = field(default_factory=list)
    tables: list[Any] = field(default_factory=list)

    def register(
        self,
        meters: pa.Table,
        *,
        settings: dict[str, object] | None = None,
        mapping: pa.Table | None = None,
        source: str,
        actor: str,
    ) -> RegisterReceipt:
        self.calls.append(("register", source, actor))
        self.tables.append((meters, settings, mapping))
        if not meters.num_rows:
            raise BadInput("has no rows.", code="empty_table", place="the meters table", remedy="List one.")
        return RegisterReceipt(meters.num_rows, 0, 0)

    def describe(self, settings: dict[str, object], *, source: str, actor: str) -> int:
        self.calls.append(("describe", source, actor))
        self.tables.append(settings)
        return 1

    def commit(
        self, parts: Iterable[tuple[pa.Table, pa.Table]], *, source: str, actor: str, progress: Progress | None = None
    ) -> Receipt:
        self.calls.append(("commit", source, actor))
        good, bad = (pa.concat_tables(tables) for tables in zip(*parts, strict=True))
        self.tables.append((good, bad))
        if progress is not None:
            progress(good.num_rows + bad.num_rows)
        return Receipt(accepted=good.num_rows, quarantined=bad.num_rows)


def dataset(folder: Path, lines: list[str] | None = None, **more: str) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "meters.csv").write_text(METERS, encoding="utf-8")
    (folder / "readings.csv").write_text(HEADER + "".join(LINES if lines is None else lines), encoding="utf-8")
    for name, text in more.items():
        (folder / name.replace("__", ".")).write_text(text, encoding="utf-8")
    return folder


@contextmanager
def city(folder: Path) -> Generator[Pipeline]:
    """Open a real, empty city."""
    with closing(Engine.open(folder, "UTC")) as engine:
        yield Pipeline(engine, rules())


def test_meters_come_first_then_each_file_as_one_batch(tmp_path: Path) -> None:
    folder = dataset(tmp_path / "d", city__toml='[city]\nname_en = "A"\n', more__csv="site,meter\n")
    pq.write_table(
        pacsv.read_csv(folder / "readings.csv").append_column("note", pa.array(["n"] * len(LINES))),
        folder / "readings-b.parquet",
    )
    book, seen = Book(), []
    receipt = ingest_dataset(book, find([folder])[0], actor="me", progress=seen.append)
    assert [call[0] for call in book.calls] == ["register", "commit", "commit"]
    assert book.calls[0] == ("register", str(folder), "me")
    assert [Path(source).name for _, source, _ in book.calls[1:]] == ["readings-b.parquet", "readings.csv"]
    meters, settings, mapping = book.tables[0]
    assert (meters.num_rows, settings, mapping) == (3, {"city": {"name_en": "A"}}, None)
    assert receipt == Receipt(accepted=2 * len(LINES))
    assert seen == [len(LINES)] * 2


def test_a_map_is_handed_over_and_a_source_is_named(tmp_path: Path) -> None:
    folder = dataset(tmp_path / "d", map__csv="site,meter,virtual_city,shift_days\ns,power,V,3\n")
    (found,) = find([folder], map_file=folder / "map.csv")
    other = load_map(folder / "map.csv").slice(0, 0)
    for given, expected in ((None, 1), (other, 0)):
        book = Book()
        ingest_dataset(book, found, source="spring", actor="me", mapping=given)
        assert book.tables[0][2].num_rows == expected
        assert [source for _, source, _ in book.calls] == ["spring", "spring/readings.csv"]


def test_readings_alone_need_no_list_of_meters(tmp_path: Path) -> None:
    folder = dataset(tmp_path / "d")
    book = Book()
    ingest_dataset(book, find([folder / "readings.csv"])[0], actor="me")
    assert [call[0] for call in book.calls] == ["commit"]
    (folder / "meters.csv").unlink()
    (folder / "city.toml").write_text("[city]\n", encoding="utf-8")
    book = Book()
    assert register_meters(book, find([folder])[0], actor="me") is None
    assert book.calls[0][0] == "describe"


def test_an_error_of_the_registry_names_the_file(tmp_path: Path) -> None:
    folder = dataset(tmp_path / "d")
    (folder / "meters.csv").write_text(METERS.splitlines()[0] + "\n", encoding="utf-8")
    with pytest.raises(BadInput, match=r"meters.csv \(the meters table\): has no rows"):
        ingest_dataset(Book(), find([folder])[0], actor="me")


@pytest.mark.parametrize("text", ["[city", "\udcff"])
def test_settings_that_are_no_toml_stop_before_anything_is_stored(tmp_path: Path, text: str) -> None:
    folder = dataset(tmp_path / "d")
    (folder / "city.toml").write_bytes(text.encode(errors="surrogateescape"))
    book = Book()
    with pytest.raises(BadInput, match=r"city.toml: is no valid TOML"):
        ingest_dataset(book, find([folder])[0], actor="me")
    assert book.calls == []


def test_the_pipeline_is_a_door(tmp_path: Path) -> None:
    with city(tmp_path) as pipeline:
        door: Door = pipeline
        assert door.commit([], source="nothing", actor="me") == Receipt()


def test_a_real_city_takes_good_rows_and_keeps_bad_ones_by_name(tmp_path: Path) -> None:
    bad = ["s,power,2018-01-02T00:00:00,1\n", "s,power,2018-01-02T00:00:00Z,NaN\n", "s,water,2018-01-02T00:00:00Z,-1\n"]
    bad += ["s,gh\0st,2018-01-02T00:00:00Z,1\n"]
    bad += ["s,ghost,2018-01-02T00:00:00Z,1\n", "s,odd,2018-01-02T00:00:00Z,1\n", "s,power,2999-01-01T00:00:00Z,1\n"]
    folder = dataset(tmp_path / "d", [*LINES, *bad])
    with city(tmp_path / "city") as pipeline:
        receipt = ingest_dataset(pipeline, find([folder])[0], actor="me")
        assert (receipt.accepted, receipt.duplicate, receipt.quarantined) == (len(LINES), 0, len(bad))
        again = ingest_dataset(pipeline, find([folder])[0], actor="me")
        assert (again.accepted, again.duplicate) == (0, len(LINES))


def test_the_order_of_rows_in_a_file_never_matters(tmp_path: Path) -> None:
    conflict = ["s,power,2018-01-01T05:00:00Z,9\n", "s,water,2018-01-01T07:00:00Z,90\n"]
    found = []
    for seed in range(3):
        lines = LINES + conflict
        Random(seed).shuffle(lines)
        folder = dataset(tmp_path / f"d{seed}", lines)
        engine = Engine.open(tmp_path / f"city{seed}", "UTC")
        with closing(engine):
            commit = Pipeline(engine, rules())
            ingest_dataset(commit, find([folder])[0], actor="me")
            with engine.snapshot() as snapshot:
                found.append(snapshot.rows("select channel, start_us, value, quality from interval order by all"))
    assert found[0]
    assert found[0] == found[1] == found[2]


def test_a_file_that_breaks_midway_leaves_nothing_of_itself(tmp_path: Path) -> None:
    folder = dataset(tmp_path / "d", [*LINES * 1500, 's,"power,2018-01-01T00:00:00Z,1\n', *LINES * 200])
    (folder / "readings-a.csv").write_text(HEADER + LINES[0], encoding="utf-8")
    with city(tmp_path / "city") as pipeline:
        (found,) = find([folder])
        register_meters(pipeline, found, actor="me")
        with pytest.raises(BadInput, match=r"readings.csv line \d+: cannot be read from here on"):
            commit_readings(pipeline, found, actor="me")
        (folder / "readings.csv").write_text(HEADER + "".join(LINES), encoding="utf-8")
        receipt = commit_readings(pipeline, found, actor="me")
        assert (receipt.accepted, receipt.duplicate) == (len(LINES) - 1, 2)
