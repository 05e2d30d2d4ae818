"""Quarantined rows tried again: taken once, never before their time, and never over a reading that came later."""

import json
from datetime import timedelta
from random import Random
from typing import Any

import pyarrow as pa
import pytest

from quintet.pipeline import replay
from quintet.pipeline.remedies import OTHER, remedies, remedy_for
from quintet.pipeline.replay import Replayed
from quintet.store.quarantine import Wanted, counts, quarantined
from quintet.terms.tables import QUARANTINE, READINGS

from .test_groups import METERS, MWH, START, STEP, Row, committed, deliver


def rows(bench: Any, state: str = "open", **wanted: Any) -> list[dict[str, Any]]:
    """List quarantined rows in the order they came."""
    with bench.engine.snapshot() as snapshot:
        return quarantined(snapshot, Wanted(state=state, **wanted), limit=10**6).to_pylist()[::-1]


def again(bench: Any, decode: Any = None, **wanted: Any) -> Replayed:
    return bench.pipeline.replay(Wanted(**wanted), actor="test", decode=decode)


def later(bench: Any) -> None:
    """Register what was unknown until now."""
    bench.register(**METERS)


def test_what_was_unknown_is_taken_after_it_was_registered_and_only_once(bench: Any) -> None:
    bench.register(e=METERS["e"])
    committed(bench, deliver([("e", 0, 1.0), ("h", 0, 2.0), ("h", 1, 3.0), ("x", 0, 1.0)]))
    assert again(bench) == Replayed(kept=3), "nothing is mended yet"
    later(bench)
    done = again(bench)
    assert (done.taken, done.kept) == (2, 1)
    assert [row["meter"] for row in rows(bench)] == ["x"]
    assert {row["settled_in"] for row in rows(bench, "taken")} == set(done.batches)
    before, newest = bench.hash(), bench.engine.last_batch
    assert again(bench) == Replayed(kept=1)
    assert (bench.hash(), bench.engine.last_batch) == (before, newest), "a second time changes nothing"


def test_replayed_rows_give_what_they_would_have_given_at_once(new_bench: Any) -> None:
    dice = Random(5)
    sent: list[Row] = [("h", quarter, float(dice.randrange(4))) for quarter in range(60)]
    plain, mended = new_bench(), new_bench()
    for bench, known in ((plain, METERS), (mended, {"e": METERS["e"]})):
        bench.register(**known)
        committed(bench, deliver(sent))
        bench.register(**METERS)
    assert again(mended).taken == 60
    assert mended.effective() != []
    assert [row[1:] for row in mended.effective()] == [row[1:] for row in plain.effective()]


def test_only_the_wanted_rows_are_tried(bench: Any) -> None:
    bench.register(e=METERS["e"])
    committed(bench, deliver([("h", 0, 1.0)], "a"), deliver([("h", 1, 1.0)], "b"), deliver([("h", 2, 1.0)], "c"))
    later(bench)
    assert again(bench, source="b").taken == 1
    assert again(bench, code="wrong_unit") == Replayed()
    assert again(bench, ids=(rows(bench)[0]["id"],)).taken == 1
    assert [row["source"] for row in rows(bench)] == ["c"]


def test_a_reading_that_came_later_stands(bench: Any) -> None:
    bench.register(e=METERS["e"])
    committed(bench, deliver([("h", 0, 1.0), ("h", 1, 1.0), ("h", 2, 1.0)]))
    committed(bench, deliver([("h", 0, 4.0)], "b"))
    later(bench)
    committed(bench, deliver([("h", 1, 7.0), ("h", 2, 1.0)], "b"))
    done = again(bench)
    assert (done.taken, done.known, done.superseded, done.kept) == (1, 1, 2, 0)
    assert [row[2] // 1000 for row in bench.effective()] == [4, 7, 1], "of two that waited the later one counts"


def test_a_reading_that_came_before_the_waiting_one_is_corrected_by_it(bench: Any) -> None:
    bench.register(e=METERS["e"])
    committed(bench, deliver([("e", 0, 1.0)]))
    wrong = deliver([("e", 0, 5.0)])
    wrong = pa.Table.from_pylist([{**wrong.readings.to_pylist()[0], "unit": "m3"}], READINGS)
    bench.pipeline.commit([(wrong, QUARANTINE.empty_table())], source="file", actor="test")
    (row,) = rows(bench)
    assert row["code"] == "wrong_unit"
    assert again(bench) == Replayed(kept=1)
    assert bench.effective()[0][2] == MWH


def test_a_clock_is_judged_by_the_moment_the_row_came(bench: Any) -> None:
    bench.register(**METERS)
    ahead = (bench.clock_us - START.timestamp() * 1e6) / 900e6 + 40
    committed(bench, deliver([("e", int(ahead), 1.0)]))
    assert rows(bench)[0]["code"] == "future_time"
    bench.clock_us += 30 * 86_400_000_000
    assert again(bench) == Replayed(kept=1), "it was in the future when it came: its clock was wrong"


def test_what_stays_gets_its_new_reason(bench: Any) -> None:
    bench.register(e=METERS["e"])
    row = {"site": "s", "meter": "h", "at": START, "value": 1.0, "commodity": None, "unit": "kWh", "row": 1}
    table = pa.Table.from_pylist([row], READINGS)
    bench.pipeline.commit([(table, QUARANTINE.empty_table())], source="file", actor="test")
    later(bench)
    assert again(bench).kept == 1
    (row,) = rows(bench)
    assert (row["code"], row["state"], row["settled"]) == ("wrong_unit", "open", None)
    assert [row["code"] for row in rows(bench, code="wrong_unit")] == ["wrong_unit"]
    newest = bench.engine.last_batch
    assert again(bench).batches == ()
    assert bench.engine.last_batch == newest


def test_payloads_are_decoded_by_what_their_door_knows_now(bench: Any) -> None:
    bench.register(**METERS)
    payload = json.dumps({"topic": "t", "payload": "?"})
    bad = {"source": "mqtt:t", "row": 1, "site": None, "meter": None, "code": "unknown_topic", "reason": "No mapping."}
    table = pa.Table.from_pylist([{**bad, "original": payload}, {**bad, "original": "garbage"}], QUARANTINE)
    delivery = deliver([], "mqtt:t")
    committed(bench, type(delivery)(delivery.readings, table, "mqtt:t", "mqtt"))
    assert again(bench) == Replayed(kept=2), "without a decoder they stay"

    def decode(source: str, original: str) -> tuple[pa.Table, pa.Table]:
        assert source == "mqtt:t"
        if original != payload:
            refused = {**bad, "code": "undecodable", "original": original}
            return deliver([]).readings, pa.Table.from_pylist([refused], QUARANTINE)
        return deliver([("e", 0, 1.0), ("x", 0, 1.0)]).readings, QUARANTINE.empty_table()

    done = again(bench, decode)
    assert (done.taken, done.kept) == (1, 1)
    left = {(row["code"], row["source"], row["meter"]) for row in rows(bench)}
    assert left == {("undecodable", "mqtt:t", None), ("unregistered_meter", "mqtt:t", "x")}, "what is new stands alone"
    assert again(bench, decode) == Replayed(kept=2)


def test_many_rows_are_tried_page_by_page(bench: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(replay, "PAGE", 7)
    bench.register(e=METERS["e"])
    committed(bench, deliver([("h", quarter, 1.0) for quarter in range(30)]))
    later(bench)
    done = again(bench)
    assert (done.taken, len(done.batches)) == (30, 5)
    assert len(bench.effective()) == 30


@pytest.mark.parametrize("newest_first", [False, True])
def test_rows_tried_one_after_the_other_count_as_they_came(bench: Any, *, newest_first: bool) -> None:
    bench.register(e=METERS["e"])
    for value in (9.0, 2.0, 5.0):
        committed(bench, deliver([("h", 0, value)]))
    later(bench)
    ids = [row["id"] for row in rows(bench)]
    done = [again(bench, ids=(one,)) for one in (reversed(ids) if newest_first else ids)]
    assert [one.taken for one in done] == ([1, 0, 0] if newest_first else [1, 1, 1])
    assert [row[2] // 1000 for row in bench.effective()] == [5], "the one that came last counts"
    assert not rows(bench)


def test_the_border_of_a_page_decides_nothing(bench: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(replay, "PAGE", 2)
    bench.register(e=METERS["e"])
    committed(bench, deliver([("h", 1, 1.0), ("h", 0, 1.0)]))
    committed(bench, deliver([("h", 0, 4.0)]))
    later(bench)
    assert again(bench).taken == 3
    assert [row[2] // 1000 for row in bench.effective()] == [4, 1]


def test_a_replayed_payload_is_as_old_as_its_delivery(bench: Any) -> None:
    bench.register(**METERS)
    for value in (1.0, 4.0):
        bad = {"source": "mqtt:t", "row": 1, "site": None, "meter": None, "code": "unknown_topic", "reason": "None."}
        table = pa.Table.from_pylist([{**bad, "original": json.dumps({"topic": "t", "payload": value})}], QUARANTINE)
        committed(bench, type(deliver([]))(deliver([]).readings, table, "mqtt:t", "mqtt"))

    def decode(source: str, original: str) -> tuple[pa.Table, pa.Table]:
        return deliver([("e", 0, json.loads(original)["payload"])]).readings, QUARANTINE.empty_table()

    first, second = (row["id"] for row in rows(bench))
    assert again(bench, decode, ids=(first,)).taken == 1
    assert again(bench, decode, ids=(second,)).taken == 1
    assert bench.effective()[0][2] == 4 * MWH


def test_a_row_is_settled_when_its_file_is_taken_at_last(bench: Any) -> None:
    bench.register(e=METERS["e"])
    sent = [("h", START + STEP * quarter, 1.0) for quarter in range(3)]
    bench.send(sent, "file")
    assert len(rows(bench)) == 3
    later(bench)
    bench.send(sent[:2], "other")
    assert len(rows(bench)) == 3, "another source says nothing of this one"
    bench.send(sent, "file")
    assert rows(bench) == []
    assert {row["settled"] for row in rows(bench, "taken")} == {replay.ENDINGS["known"]}
    assert len(bench.effective()) == 3


def test_an_ingest_takes_nothing_out_of_quarantine_by_itself(bench: Any) -> None:
    bench.register(e=METERS["e"])
    bench.send([("h", START, 1.0)], "file")
    later(bench)
    bench.send([("h", START + timedelta(days=1), 1.0)], "file")
    assert [row["meter"] for row in rows(bench)] == ["h"]


def test_dismissed_rows_are_kept_and_wait_no_more(bench: Any) -> None:
    bench.register(**METERS)
    bad = deliver([("x", 0, 1.0), ("y", 0, 1.0)])
    committed(bench, bad)
    first, second = (row["id"] for row in rows(bench))
    assert bench.pipeline.dismiss([first, 99], reason="a test device", actor="kim") == 1
    assert bench.pipeline.dismiss([first], reason="again", actor="kim") == 0
    assert [row["id"] for row in rows(bench)] == [second]
    (row,) = rows(bench, "dismissed")
    assert (row["settled"], row["settled_by"], row["code"]) == ("a test device", "kim", "unregistered_meter")
    committed(bench, bad)
    assert [row["id"] for row in rows(bench)] == [second], "the same row again is still not wanted"
    assert again(bench) == Replayed(kept=1)


def test_one_that_was_taken_and_comes_again_bad_is_seen_again(bench: Any) -> None:
    bench.register(e=METERS["e"])
    bad = deliver([("h", 0, 1.0)])
    committed(bench, bad)
    later(bench)
    assert again(bench).taken == 1
    renamed = {"source": "a", "row": 1, "site": "s", "meter": "h", "code": "unregistered_meter", "reason": "?"}
    with bench.engine.snapshot() as snapshot:
        original = snapshot.rows("select original from quarantine")[0][0]
    table = pa.Table.from_pylist([{**renamed, "original": original}], QUARANTINE)
    delivery = deliver([])
    committed(bench, type(delivery)(delivery.readings, table, "a", "http"))
    assert len(rows(bench)) == 1


def test_rows_are_counted_per_source_and_reason(bench: Any) -> None:
    bench.register(**METERS)
    committed(bench, deliver([("x", 0, 1.0), ("y", 0, 1.0)], "a", refused=1), deliver([("x", 0, 1.0)], "b"))
    with bench.engine.snapshot() as snapshot:
        counted = counts(snapshot).to_pylist()
    assert [(row["source"], row["code"], row["rows"]) for row in counted] == [
        ("a", "unregistered_meter", 2), ("a", "bad_value", 1), ("b", "unregistered_meter", 1),
    ]  # fmt: skip


def test_every_reason_of_the_pipeline_says_what_to_do(bench: Any) -> None:
    known = {
        "unregistered_meter", "ambiguous_channel", "unknown_unit", "unknown_commodity", "wrong_unit", "no_time",
        "no_value", "out_of_range", "implausible_time", "future_time", "clock_off", "negative_register",
    }  # fmt: skip
    assert known <= set(remedies())
    assert remedy_for("unheard_of") == OTHER
    assert all(one.remedy.endswith(".") for one in remedies().values())
