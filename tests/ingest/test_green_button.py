"""A feed through the door: good readings are kept, bad ones set aside with their place, a map chooses meters."""

from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from quintet.ingest.green_button import ingest_feed, looks_like_feed
from quintet.pipeline.commit import Receipt, RegisterReceipt
from quintet.terms.errors import BadInput

FEED = """<feed xmlns="http://www.w3.org/2005/Atom"><id>urn:uuid:1</id>
<entry><id>m</id><link rel="self" href="/m/1"/><link rel="related" href="/t/1"/>
<content><MeterReading xmlns="http://naesb.org/espi"/></content></entry>
<entry><id>t</id><link rel="self" href="/t/1"/><content><ReadingType xmlns="http://naesb.org/espi">
<commodity>1</commodity><flowDirection>1</flowDirection><intervalLength>3600</intervalLength><uom>72</uom>
</ReadingType></content></entry>
<entry><link rel="up" href="/m/1/IntervalBlock"/><content><IntervalBlock xmlns="http://naesb.org/espi">
{}</IntervalBlock></content></entry></feed>"""


def reading(hour: int, value: str, quality: int = 0) -> str:
    start = 1_735_689_600 + 3600 * hour
    return (
        f"<IntervalReading><ReadingQuality><quality>{quality}</quality></ReadingQuality><timePeriod><duration>3600"
        f"</duration><start>{start}</start></timePeriod><value>{value}</value></IntervalReading>\n"
    )


class Kept:
    """The write path as a door sees it; it keeps what it is given."""

    def __init__(self) -> None:
        self.meters: list[dict[str, Any]] = []
        self.good: list[dict[str, Any]] = []
        self.bad: list[dict[str, Any]] = []
        self.told: list[dict[str, Any]] = []

    def register(self, meters: pa.Table, **_: Any) -> RegisterReceipt:
        self.meters += meters.to_pylist()
        return RegisterReceipt(meters.num_rows, meters.num_rows, 0)

    def describe(self, *_: Any, **__: Any) -> int:
        raise AssertionError

    def commit(self, parts: Any, **_: Any) -> Receipt:
        for good, bad in parts:
            self.good += good.to_pylist()
            self.bad += bad.to_pylist()
        return Receipt(len(self.good), 0, 0, len(self.bad))

    def take(self, estimates: pa.Table, *_: str) -> Receipt:
        self.told += estimates.to_pylist()
        return Receipt(estimates.num_rows)


def taken(path: Path, mapping: pa.Table | None = None) -> tuple[Kept, RegisterReceipt, Receipt]:
    kept = Kept()
    registered, receipt = ingest_feed(kept, path, kept.take, tz="Asia/Seoul", actor="test", mapping=mapping)
    return kept, registered, receipt


@pytest.fixture
def feed(tmp_path: Path) -> Path:
    path = tmp_path / "feed.xml"
    path.write_text(FEED.format(reading(0, "450") + reading(1, "4x") + reading(2, "430", 8)), encoding="utf-8")
    return path


def test_measured_estimated_and_bad_readings_each_go_their_way(feed: Path) -> None:
    kept, registered, receipt = taken(feed)
    assert (registered.registered, receipt.accepted, receipt.quarantined) == (1, 2, 1)
    assert [row["value"] for row in kept.good] == [450.0]
    assert [row["value"] for row in kept.told] == [430.0]
    (bad,) = kept.bad
    assert (bad["row"], bad["code"], bad["source"]) == (2, "bad_value", str(feed))
    (meter,) = kept.meters
    assert (meter["tz"], meter["cadence_min"], meter["role"]) == ("Asia/Seoul", 60, "consumption")


def test_a_map_leaves_meters_out(feed: Path) -> None:
    other = pa.table({"site": ["elsewhere"], "meter": ["m"], "virtual_city": ["v"], "shift_days": [0]})
    kept, _, receipt = taken(feed, other)
    assert (kept.good, kept.told, kept.bad) == ([], [], [])
    assert (receipt.accepted, receipt.skipped) == (0, 3)


def test_a_feed_is_known_by_its_first_bytes_not_by_its_name(tmp_path: Path, feed: Path) -> None:
    other = tmp_path / "readings.csv"
    other.write_bytes(feed.read_bytes())
    text = tmp_path / "plain.xml"
    text.write_text("site,meter,ts_utc,value\n", encoding="utf-8")
    marked = tmp_path / "marked.xml"
    marked.write_bytes(b"\xff\xfe" + feed.read_text(encoding="utf-8").encode("utf-16-le"))
    assert [looks_like_feed(one) for one in (other, text, marked, tmp_path)] == [True, False, True, False]
    assert taken(marked)[2].accepted == 2


def test_a_feed_of_no_meters_registers_none(tmp_path: Path) -> None:
    path = tmp_path / "feed.xml"
    path.write_text(FEED.format(reading(0, "450")).replace("<uom>72</uom>", ""), encoding="utf-8")
    kept, registered, receipt = taken(path)
    assert (kept.meters, registered.registered, receipt.quarantined) == ([], 0, 1)


def test_what_has_no_readings_is_refused_before_anything_is_stored(tmp_path: Path) -> None:
    path = tmp_path / "feed.xml"
    path.write_text(FEED.format(""), encoding="utf-8")
    with pytest.raises(BadInput) as refused:
        taken(path)
    assert (refused.value.code, refused.value.place) == ("no_readings", str(path))
