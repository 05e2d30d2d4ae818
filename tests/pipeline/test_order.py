"""Messages in their order, amounts in several units, clocks of resent deliveries: what decides and what is the same."""

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

import pyarrow as pa
import pytest

from quintet.pipeline.bounds import limits
from quintet.pipeline.delivery import Delivery, Outcome, Receipt
from quintet.pipeline.grouping import Committer
from quintet.pipeline.shapes import QUESTIONABLE
from quintet.protocols.payloads import decode_body, decode_messages, load_mappings
from quintet.store.quarantine import Wanted
from quintet.terms.tables import MOMENT, QUARANTINE, READINGS

START = datetime(2025, 1, 3, tzinfo=UTC)
STEP = timedelta(minutes=15)
METERS = {"e": ("electricity", "kWh", "interval_sum", 15), "f": ("electricity", "kWh", "interval_sum", 15)}
MWH = 1_000_000
PATIENCE_S = 60
Row = tuple[str, int, float, str | None]


def messages(rows: list[Row], *, in_order: bool = True, key: str = "", received_us: int = 0) -> Delivery:
    """Make a delivery of rows: meter, quarter-hour after START, value, unit."""
    listed = [
        {"site": "s", "meter": m, "at": START + STEP * q, "value": v, "commodity": None, "unit": unit, "row": n}
        for n, (m, q, v, unit) in enumerate(rows, start=1)
    ]
    table = pa.Table.from_pylist(listed, READINGS)
    return Delivery(table, QUARANTINE.empty_table(), "a", "mqtt", key, key, in_order=in_order, received_us=received_us)


def committed(bench: Any, *deliveries: Delivery) -> list[Outcome]:
    out = bench.pipeline.commit_group(list(deliveries))
    assert all(isinstance(one, Outcome) for one in out), out
    return out


def counted(outcome: Outcome) -> tuple[int, int, int]:
    return outcome.receipt.accepted, outcome.receipt.duplicate, outcome.receipt.quarantined


def test_the_later_message_of_one_delivery_wins(bench: Any) -> None:
    bench.register(**METERS)
    (out,) = committed(
        bench, messages([("e", 0, 1.0, None), ("f", 0, 5.0, None), ("e", 0, 2.0, None), ("x", 0, 1.0, None)])
    )
    assert counted(out) == (3, 0, 1)
    assert out.problems["row"].to_pylist() == [4]
    assert sorted(value for _, _, value, _ in bench.effective()) == [2 * MWH, 5 * MWH]
    assert out.batch == bench.engine.last_batch


def test_without_an_order_the_lower_amount_counts_as_in_a_file(bench: Any) -> None:
    bench.register(**METERS)
    committed(bench, messages([("e", 0, 1.0, None), ("e", 0, 2.0, None)], in_order=False))
    assert [value for _, _, value, _ in bench.effective()] == [MWH]


@pytest.mark.parametrize("seed", range(4))
def test_messages_in_one_delivery_give_what_each_alone_gives(new_bench: Callable[[], Any], seed: int) -> None:
    dice = Random(seed)
    rows: list[Row] = [
        (dice.choice("ef"), dice.randrange(3), float(dice.randrange(1, 4)), dice.choice([None, "kWh"]))
        for _ in range(24)
    ]
    alone, together = new_bench(), new_bench()
    for one in (alone, together):
        one.register(**METERS)
    singly = [committed(alone, messages([row]))[0] for row in rows]
    cut = dice.randrange(24)
    joined = committed(together, messages(rows[:cut]), messages(rows[cut:]))
    assert [row[:3] for row in together.effective()] == [row[:3] for row in alone.effective()]
    assert sum(one.receipt.accepted for one in joined) == sum(one.receipt.accepted for one in singly)
    assert sum(one.receipt.duplicate for one in joined) == sum(one.receipt.duplicate for one in singly)


def test_a_device_that_says_a_moment_anew_all_the_time_holds_nobody_up(bench: Any) -> None:
    bench.register(**METERS)
    before = bench.engine.last_batch
    (out,) = committed(bench, messages([("e", 0, float(n), None) for n in range(1, 101)]))
    assert counted(out) == (100, 0, 0)
    assert bench.engine.last_batch - before == limits().most_rounds
    assert [value for _, _, value, _ in bench.effective()] == [100 * MWH]


@pytest.mark.parametrize("in_order", [False, True])
def test_the_same_amount_in_another_unit_is_the_same_reading(bench: Any, *, in_order: bool) -> None:
    bench.register(**METERS)
    (out,) = committed(
        bench, messages([("e", 0, 1.5, None), ("e", 0, 1.5, "kWh"), ("e", 0, 1500.0, "Wh")], in_order=in_order)
    )
    assert counted(out) == (1, 2, 0)
    again = committed(bench, messages([("e", 0, 1500.0, "Wh")]), messages([("e", 0, 1.5, "kWh")]))
    assert [counted(one) for one in again] == [(0, 1, 0), (0, 1, 0)]
    (other,) = committed(bench, messages([("e", 0, 1501.0, "Wh")]))
    assert counted(other) == (1, 0, 0)
    assert [value for _, _, value, _ in bench.effective()] == [1_501_000]


def test_an_amount_that_is_taken_back_needs_another_statement(bench: Any) -> None:
    # decision 0005: what was said before is a repetition, for all may be sent twice
    bench.register(**METERS)
    out = committed(bench, *(messages([("e", 0, value, None)]) for value in (1.0, 2.0, 1.0)))
    assert [counted(one) for one in out] == [(1, 0, 0), (1, 0, 0), (0, 1, 0)]
    assert [value for _, _, value, _ in bench.effective()] == [2 * MWH]


def clocked(delivery: Delivery, sent: datetime) -> Delivery:
    column = pa.array([sent] * delivery.readings.num_rows, MOMENT)
    return replace(delivery, readings=delivery.readings.append_column("sent_at", column))


def test_a_clock_is_judged_by_the_moment_a_delivery_was_handed_in(bench: Any) -> None:
    bench.register(**METERS)
    then_us = bench.now() - 3_600_000_000
    sent = datetime.fromtimestamp(then_us / 1e6, UTC)
    (late,) = committed(bench, clocked(messages([("e", 0, 1.0, None)]), sent))
    assert late.problems["code"].to_pylist() == ["clock_off"]
    (waited,) = committed(bench, clocked(messages([("e", 0, 1.0, None)], received_us=then_us), sent))
    assert counted(waited) == (1, 0, 0)


def test_the_wait_in_the_queue_is_not_held_against_a_device(bench: Any) -> None:
    bench.register(**METERS)
    committer = Committer(bench.pipeline, None, bench.now)
    sent = datetime.fromtimestamp(bench.now() / 1e6, UTC)
    future = committer.submit(clocked(messages([("e", 0, 1.0, None)]), sent))
    bench.clock_us += 3_600_000_000
    committer.start()
    assert counted(future.result(PATIENCE_S)) == (1, 0, 0)
    committer.stop(PATIENCE_S)


def untimed(delivery: Delivery) -> Delivery:
    """Make the rows of a delivery such as have no time but that of receipt."""
    rows = delivery.readings
    return replace(delivery, readings=rows.append_column("stamped", pa.array([True] * rows.num_rows)))


def test_an_amount_without_a_time_of_its_own_is_set_aside_for_it_could_count_twice(bench: Any) -> None:
    registers = {"r": ("water", "m3", "register_cumulative", 15), "p": ("electricity", "kW", "avg_power", 15)}
    events = {"h": ("hot_water", "L", "event_sum", 15)}
    bench.register(**METERS, **registers, **events)
    rows: list[Row] = [(meter, 0, 1.0, None) for meter in "erph"]
    (out,) = committed(bench, untimed(messages(rows)))
    assert counted(out) == (2, 0, 2)
    assert set(out.problems["code"].to_pylist()) == {"no_time"}
    assert sorted(out.problems["meter"].to_pylist()) == ["e", "h"]
    assert bench.pipeline.replay(Wanted(), actor="test").kept == 2, "its time is not known later either"
    (timed,) = committed(bench, messages(rows))
    assert counted(timed) == (2, 2, 0)


def test_a_bare_number_and_an_object_without_a_time_are_marked_by_their_decoder(bench: Any) -> None:
    bench.register(**METERS)
    timed = b'{"value": 1.5, "ts_us": 1735862400000000}'
    said = [b"1.5", b'{"value": 1.5}', b' {"value": 1.5, "x": 1}', b' {"value": 1.5, "ts_us": null}', timed]
    payload = decode_messages([("quintet/v1/s/e", one, bench.now()) for one in said], load_mappings())
    assert payload.readings["stamped"].to_pylist() == [True] * 4 + [False]
    (out,) = committed(bench, Delivery(payload.readings, payload.refused, "a", "mqtt", in_order=True))
    assert counted(out) == (1, 0, 4)


Said = tuple[str, int, float]
BATCH = "quintet/v1/s"


def by_http(bench: Any, rows: list[Said]) -> Outcome:
    """Commit rows (meter, quarter-hour, value) as one body."""
    found = decode_body(body_of(rows), "application/json")
    return committed(bench, Delivery(found.readings, found.refused, "a", "http"))[0]


def by_mqtt(bench: Any, *said: tuple[str, bytes]) -> Outcome:
    """Commit messages (topic, payload) as one delivery."""
    found = decode_messages([(*one, bench.now()) for one in said], load_mappings())
    return committed(bench, Delivery(found.readings, found.refused, "a", "mqtt", in_order=True))[0]


def body_of(rows: list[Said]) -> bytes:
    listed = [{"site": "s", "meter": m, "ts_utc": (START + STEP * q).isoformat(), "value": v} for m, q, v in rows]
    return json.dumps(listed).encode()


def arrow_of(rows: list[Said]) -> bytes:
    listed = [{"site": "s", "meter": m, "ts_utc": START + STEP * q, "value": v} for m, q, v in rows]
    table = pa.Table.from_pylist(listed)
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table)
    return sink.getvalue().to_pybytes()


def one(value: float) -> bytes:
    return json.dumps({"ts_utc": START.isoformat(), "value": value}).encode()


def some_rows(dice: Random, count: int) -> list[Said]:
    return [(dice.choice("ef"), dice.randrange(4), float(dice.randrange(1, 4))) for _ in range(count)]


@pytest.mark.parametrize("seed", range(4))
def test_a_batch_message_gives_what_the_same_rows_in_one_body_give(new_bench: Callable[[], Any], seed: int) -> None:
    dice = Random(seed)
    http, mqtt = new_bench(), new_bench()
    for one in (http, mqtt):
        one.register(**METERS)
    bodies = [some_rows(dice, 12) for _ in range(5)]
    alone = [by_http(http, rows) for rows in bodies]
    written = [dice.choice([body_of, arrow_of])(rows) for rows in bodies]
    if seed % 2:
        written = [body_of(dice.sample(rows, len(rows))) for rows in bodies]
    together = by_mqtt(mqtt, *((BATCH, text) for text in written))
    assert mqtt.effective() == http.effective(), "amounts and qualities: a conflict within one is flagged"
    receipt = sum((one.receipt for one in alone), Receipt())
    assert (together.receipt.accepted, together.receipt.duplicate) == (receipt.accepted, receipt.duplicate)


def test_order_counts_between_messages_and_not_within_one(bench: Any) -> None:
    bench.register(**METERS)
    (flagged,) = [by_mqtt(bench, (BATCH, body_of([("e", 0, 2.0), ("e", 0, 1.0), ("f", 0, 5.0)])))]
    assert counted(flagged) == (3, 0, 0)
    assert [value for _, _, value, _ in bench.effective()] == [MWH, 5 * MWH]
    assert [quality == QUESTIONABLE for _, _, _, quality in bench.effective()] == [True, False]
    by_mqtt(bench, (BATCH, body_of([("f", 0, 4.0), ("f", 0, 9.0)])), ("quintet/v1/s/f", one(7.0)))
    assert [value for _, _, value, _ in bench.effective()] == [MWH, 7 * MWH]
