"""The queue of exceptions: grouped by cause, priced, closed and opened again by hand, and by evidence."""

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from quintet.jobs.exception_kinds import kinds, kinds_from
from quintet.jobs.exceptions import causes, close_item, reconcile, reopen_item
from quintet.pipeline.edit_spans import Order, Picked
from quintet.pipeline.edits import Person
from quintet.store.exceptions import Item, steps_of
from quintet.store.runs import FINDINGS, append_findings, note_units
from quintet.terms.catalogue import read_toml
from quintet.terms.errors import BadInput, NotFound, UsageError

from .conftest import City
from .homes import HOMES, queue, register

WEEK, NEXT = 20094, 20101
HOUR_US = 3_600_000_000
Row = tuple[str, str, str, int, int]
"""Meter, rule, verdict, hour at which it began, amount at stake."""


@pytest.fixture
def homes(new_city: Callable[..., City]) -> City:
    city = new_city()
    register(city)
    return city


def state(city: City, unit: int, *rows: Row) -> int:
    """State what a week's findings are, and bring the queue in step; gives how many items changed."""
    ids = city.pipeline.registry().channel_ids
    table = pa.Table.from_pylist(
        [
            {
                "unit": unit, "channel": ids[f"s/{meter}"], "at_us": hour * HOUR_US, "until_us": (hour + 24) * HOUR_US,
                "rule": rule, "verdict": verdict, "detail": json.dumps({"amount": amount}),
            }
            for meter, rule, verdict, hour, amount in rows
        ],
        FINDINGS,
    )  # fmt: skip
    with city.engine.writing("vee", "test", "test", city.tick()) as writing:
        append_findings(writing, table, [unit])
        note_units(writing, [unit], writing.batch.id, "test")
        return reconcile(writing, city.pipeline.registry())


def only(city: City) -> Item:
    (item,) = queue(city)
    return item


def test_what_fell_silent_together_is_one_item_and_what_did_not_is_none_of_it(homes: City) -> None:
    together = [(f"h{home}-{carrier}", "silent", "fail", 100, 10) for home in range(6) for carrier in ("heat", "water")]
    state(homes, WEEK, *together, ("h7-heat", "silent", "fail", 103, 10))
    group, single = sorted(queue(homes), key=lambda item: -len(item.content["channels"]))
    assert (group.kind, group.cause, len(group.content["channels"])) == ("connection", "s/b", 12)
    assert group.content["action_en"] != single.content["action_en"]
    assert single.cause == "s/h7-heat"


def test_fewer_than_half_of_a_place_or_fewer_than_three_share_no_cause(homes: City) -> None:
    few = [(f"h{home}-heat", "silent", "fail", 100, 10) for home in range(HOMES)]
    state(homes, WEEK, *few)
    assert {item.cause for item in queue(homes)} == {f"s/h{home}-heat" for home in range(HOMES)}
    state(homes, NEXT, *[(f"h0-{carrier}", "silent", "fail", 100, 10) for carrier in ("heat", "water", "hot_water")])
    open_ = [item for item in queue(homes) if item.state == "open"]
    assert [(item.cause, len(item.content["channels"])) for item in open_] == [("s/b/h0", 3)]


def test_an_item_closes_with_its_evidence_and_comes_back_under_its_number(homes: City) -> None:
    leak = ("h0-water", "W01", "fail", 50, 2_000_000)
    assert state(homes, WEEK, leak) == 1
    assert state(homes, WEEK, leak) == 0
    assert (only(homes).state, only(homes).recurrences, only(homes).content["won"]) == ("open", 0, 2480)
    assert state(homes, NEXT) == 1
    assert (only(homes).state, only(homes).reason) == ("closed", "the evidence is gone")
    state(homes, NEXT + 7, leak)
    assert (only(homes).id, only(homes).state, only(homes).recurrences) == (1, "open", 1)


def test_a_lasting_cause_began_when_its_first_week_says(homes: City) -> None:
    state(homes, WEEK, ("h0-water", "W01", "fail", 50, 5))
    state(homes, NEXT, ("h0-water", "W01", "fail", 90, 5))
    assert only(homes).since_us == 50 * HOUR_US


def test_what_a_person_closed_stays_closed_until_it_was_gone_once(homes: City) -> None:
    leak = ("h0-water", "W01", "fail", 50, 5)
    state(homes, WEEK, leak)
    close_item(homes.engine, 1, by="kim", reason="the fountain runs all day", now_us=homes.tick())
    state(homes, NEXT, ("h0-water", "W01", "fail", 90, 7))
    assert (only(homes).state, only(homes).actor) == ("closed", "kim")
    state(homes, NEXT + 7)
    state(homes, NEXT + 14, leak)
    assert (only(homes).state, only(homes).recurrences) == ("open", 1)


def test_newer_doubtful_values_open_what_a_person_closed(homes: City) -> None:
    state(homes, WEEK, ("h0-heat", "V07", "flag", 50, 5))
    close_item(homes.engine, 1, by="kim", reason="a party", now_us=homes.tick())
    assert state(homes, NEXT) == 0
    state(homes, NEXT, ("h0-heat", "V07", "flag", 300, 5))
    assert (only(homes).state, only(homes).content["findings"]) == ("open", 2)


def test_closing_by_hand_is_audited_and_says_who_and_why(homes: City) -> None:
    state(homes, WEEK, ("h0-water", "W01", "fail", 50, 5))
    close_item(homes.engine, 1, by="kim", reason="mended", now_us=homes.tick())
    reopen_item(homes.engine, 1, by="lee", reason="it drips again", now_us=homes.tick())
    with homes.engine.snapshot() as snapshot:
        steps = [(step["state"], step["actor"], step["reason"]) for step in steps_of(snapshot, 1)]
        audited = snapshot.rows("select action, actor, subject from audit where actor <> 'test' order by seq")
    assert steps == [("open", "", "found"), ("closed", "kim", "mended"), ("open", "lee", "it drips again")]
    assert audited == [("exception_closed", "kim", "exception:1"), ("exception_open", "lee", "exception:1")]


def test_what_cannot_be_closed_is_refused_and_changes_nothing(homes: City) -> None:
    state(homes, WEEK, ("h0-water", "W01", "fail", 50, 5))
    before = homes.engine.last_batch
    bad: list[tuple[type[Exception], int, str, str]] = [
        (NotFound, 2, "kim", "x"), (UsageError, 1, " ", "x"), (UsageError, 1, "kim", ""),
    ]  # fmt: skip
    for error, number, by, reason in bad:
        with pytest.raises(error):
            close_item(homes.engine, number, by=by, reason=reason, now_us=homes.tick())
    with pytest.raises(UsageError):
        reopen_item(homes.engine, 1, by="kim", reason="x", now_us=homes.tick())
    assert homes.engine.last_batch == before


def test_a_carrier_without_a_price_is_named_and_counts_nothing(homes: City) -> None:
    table = kinds()
    poor = replace(table, won={})
    state(homes, WEEK, ("h0-water", "W01", "fail", 50, 5))
    with homes.engine.snapshot() as snapshot:
        (cause,) = causes(snapshot, homes.pipeline.registry(), poor)
    assert (cause.content["won"], cause.content["unpriced"]) == (0, ["water"])


def test_a_long_zero_that_is_explained_is_no_item_of_its_own(homes: City) -> None:
    state(homes, WEEK, ("h0-heat", "Z01", "fail", 50, 5), ("h0-heat", "zero_meter", "away", 50, 5))
    assert queue(homes) == []
    state(homes, NEXT, ("h0-heat", "Z01", "fail", 50, 5))
    assert only(homes).kind == "meter_at_zero"


def test_one_hole_is_one_item_whatever_it_shows_as(homes: City) -> None:
    hole = [("h0-water", "outage_unclear", "flag", 50, 0), ("h0-water", "missing", "fail", 50, 2_000_000)]
    state(homes, WEEK, *hole, ("h0-water", "missing", "fail", 100, 1_000_000), ("h1-water", "missing", "fail", 50, 5))
    found = {(item.kind, item.cause): item.content for item in queue(homes)}
    assert set(found) == {("outage_unclear", "s/h0-water"), ("unfilled", "s/h0-water"), ("unfilled", "s/h1-water")}
    one = found["outage_unclear", "s/h0-water"]
    assert (one["also"], one["findings"], one["amounts"]) == (["unfilled"], 2, {"water": 2_000_000})
    assert {row["rule"] for row in one["evidence"]} == {"outage_unclear", "missing"}
    assert found["unfilled", "s/h0-water"]["amounts"] == {"water": 1_000_000}
    assert "also" not in found["unfilled", "s/h1-water"]
    state(homes, WEEK, hole[1])
    assert [(item.kind, item.state) for item in queue(homes) if item.cause == "s/h0-water"] == [
        ("outage_unclear", "closed"), ("unfilled", "open"),
    ]  # fmt: skip


def test_unusual_use_of_a_channel_is_one_item_and_what_two_rules_say_of_it_is_at_stake_once(homes: City) -> None:
    unusual = [("h0-water", "D01", "fail", 50, 1_000_000), ("h0-water", "D03", "fail", 40, 3_000_000)]
    state(homes, WEEK, *unusual, ("h0-water", "V15", "fail", 100, 500_000))
    (item,) = queue(homes)
    assert (item.kind, item.cause, item.content["findings"]) == ("unusual_use", "s/h0-water", 3)
    assert item.content["amounts"] == {"water": 3_500_000}


def test_what_is_doubted_or_unusual_is_settled_when_a_person_decided_on_all_of_it(homes: City) -> None:
    doubted = ("h0-water", "V07", "flag", 50, 5)
    state(homes, WEEK, doubted, ("h0-water", "D01", "fail", 50, 5), ("h0-water", "W01", "fail", 50, 5))
    channel = homes.pipeline.registry().channel_ids["s/h0-water"]
    edits, anne = homes.pipeline.edits, Person("Anne", "a pool was filled")

    def decide(low: int, high: int) -> int:
        picked = Picked(np.array([channel], np.int32), low * HOUR_US, high * HOUR_US)
        return edits.make(Order("replace", picked, value=1), anne).id or 0

    def standing() -> dict[str, str]:
        state(homes, WEEK, doubted, ("h0-water", "D01", "fail", 50, 5), ("h0-water", "W01", "fail", 50, 5))
        return {item.kind: item.state for item in queue(homes)}

    decide(40, 60)
    assert set(standing().values()) == {"open"}, "not all of it"
    second = decide(60, 74)
    assert standing() == {"doubtful": "closed", "unusual_use": "closed", "leak": "open"}, (
        "a leak is no matter of values"
    )
    edits.undo(second, anne)
    assert set(standing().values()) == {"open"}


def test_a_hole_of_many_meters_and_what_nothing_fills_of_it_is_one_item(homes: City) -> None:
    several = [(f"h{home}-{carrier}", "outage_unclear", "flag", 50, 0) for home in range(6) for carrier in
               ("heat", "water")]  # fmt: skip
    state(homes, WEEK, *several, ("h0-water", "missing", "fail", 60, 5), ("h3-heat", "missing", "fail", 55, 5))
    (item,) = queue(homes)
    assert (item.kind, item.cause, len(item.content["channels"]), item.content["also"]) == (
        "outage_unclear", "s/b", 12, ["unfilled"],
    )  # fmt: skip


def test_kinds_without_words_or_prices_without_source_do_not_load() -> None:
    def changed(section: str, name: str, **change: Any) -> dict[str, Any]:
        table = read_toml("quintet.vee", "exceptions.toml")
        table[section][name] = {**table[section][name], **change}
        return table

    assert kinds_from(read_toml("quintet.vee", "exceptions.toml")) == kinds()
    bad = [
        changed("price", "water", source=""),
        changed("price", "water", unit="kW"),
        changed("kind", "leak", more=1),
        changed("kind", "leak", last="sometimes"),
        changed("kind", "leak", group=True),
    ]
    for table in bad:
        with pytest.raises(BadInput):
            kinds_from(table)
