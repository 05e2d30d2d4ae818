"""The run over a city's days: what it finds; a second run writes nothing; late readings change just what they must."""

import random
from collections.abc import Callable
from datetime import datetime

import pytest

from quintet.store.read import content_hash
from quintet.store.runs import standing_findings
from quintet.terms.quality import qualities

from .conftest import City, Reading
from .homes import HOMES, START, at, found, judge, queue, readings, register, say, state, use, withdraw

NewCity = Callable[..., City]


def hash_of(city: City) -> str:
    with city.engine.snapshot() as snapshot:
        return content_hash(snapshot)


def qualities_at(city: City, meter: str, first: int, last: int) -> dict[str, tuple[int, int]]:
    """Count effective intervals of a meter by quality, and their sum, over hours from the start."""
    number = city.pipeline.registry().channel_ids[f"s/{meter}"]
    low, high = (int(START.timestamp() + hours * 3600) * 1_000_000 for hours in (first, last))
    codes = {one.id: code for code, one in qualities().items()}
    from_store = city.rows(
        f"""select quality, count(*), sum(value) from (select start_us, arg_max(quality, batch) as quality,
            arg_max(value, batch) as value from interval where channel = {number} and start_us >= {low}
            and start_us < {high} group by start_us) group by quality"""
    )
    return {codes[quality]: (int(count), int(total)) for quality, count, total in from_store}


@pytest.fixture
def homes(new_city: NewCity) -> City:
    """Give a city of homes without readings."""
    city = new_city()
    register(city)
    return city


def test_a_quiet_city_gives_nothing_and_a_second_run_writes_nothing(homes: City) -> None:
    homes.send(readings(21))
    first = judge(homes)
    assert first.units == 3
    assert [row for row in found(homes) if row[3] == "fail"] == []
    before = homes.engine.last_batch
    assert judge(homes).units == 0
    assert homes.engine.last_batch == before


def test_a_dead_heat_meter_is_told_from_thrift_and_from_nobody_at_home(homes: City) -> None:
    def quiet(carrier: str, home: int, hours: int) -> bool:
        return hours >= 14 * 24 and ((home == 0 and carrier == "heat") or home == 1)

    rows = [(meter, moment, 0.0 if quiet(*of(meter, moment)) else value) for meter, moment, value in readings(28)]
    homes.send(rows)
    judge(homes)
    last = max(row[0] for row in found(homes, "zero_meter"))
    said = {(meter, verdict) for unit, meter, _, verdict in found(homes, "zero_meter") if unit == last}
    assert ("s/h0-heat", "dead") in said
    assert ("s/h1-heat", "away") in said
    assert {meter for meter, verdict in said if verdict == "dead"} == {"s/h0-heat"}
    (item,) = [item for item in queue(homes) if item.kind == "dead_meter"]
    assert (item.state, item.cause, item.content["channels"]) == ("open", "s/h0-heat", ["s/h0-heat"])
    assert item.content["won"] > 0
    assert item.since_us == int(at(14).timestamp()) * 1_000_000


def of(meter: str, moment: datetime) -> tuple[str, int, int]:
    home, carrier = meter.split("-", 1)
    return carrier, int(home[1:]), int((moment - START).total_seconds() // 3600)


def test_one_dead_concentrator_is_one_item_and_closes_when_it_speaks_again(homes: City) -> None:
    silent = at(16)
    all_ = readings(28)
    homes.send([row for row in all_ if row[1] < silent or row[0].startswith("h7-water")])
    judge(homes)
    (item,) = [item for item in queue(homes) if item.kind == "connection"]
    assert (item.cause, item.state, len(item.content["channels"])) == ("s/b", "open", HOMES * 3 - 1)
    assert item.content["action_ko"] != item.content["action_en"] != ""
    homes.send([row for row in all_ if row[1] >= silent])
    judge(homes)
    (after,) = [item for item in queue(homes) if item.kind == "connection"]
    assert (after.id, after.state, after.actor) == (item.id, "closed", "")
    again = [row for row in readings(42) if row[1] >= at(28) and row[0].startswith("h7-water")]
    homes.send(again)
    judge(homes)
    (back,) = [item for item in queue(homes) if item.kind == "connection"]
    assert (back.id, back.state, back.recurrences) == (item.id, "open", 1)


def test_a_stated_outage_of_supply_estimates_zero_and_its_withdrawal_takes_that_back(homes: City) -> None:
    def lost(_carrier: str, home: int, hours: int) -> bool:
        return 15 * 24 + 4 <= hours < 15 * 24 + 16 and home < 4

    homes.send(readings(21, skip=lost))
    judge(homes)
    assert "outage_zero" not in qualities_at(homes, "h0-heat", 15 * 24, 16 * 24)
    guessed = qualities_at(homes, "h0-heat", 15 * 24 + 4, 15 * 24 + 16)
    number = say(homes, "supply_outage", at(15, 4), at(15, 16))
    judge(homes)
    assert qualities_at(homes, "h0-heat", 15 * 24 + 4, 15 * 24 + 16) == {"outage_zero": (12, 0)}
    assert ("s/h0-heat", "supply_outage", "note") in {row[1:] for row in found(homes)}
    withdraw(homes, number)
    judge(homes)
    assert qualities_at(homes, "h0-heat", 15 * 24 + 4, 15 * 24 + 16) == guessed
    assert found(homes, "missing") == [], "what stands after a withdrawal is what rules look at"


def test_an_outage_of_supply_in_which_meters_counted_is_one_item_of_its_event(homes: City) -> None:
    homes.send(readings(21))
    number = say(homes, "supply_outage", at(15, 4), at(15, 16), place="s/b/h1")
    say(homes, "supply_outage", at(16, 1), at(16, 4), place="s/b/h2")
    judge(homes)
    said = {item.cause: item for item in queue(homes) if item.kind == "event_contradicted"}
    one = said[f"event {number}"]
    assert (one.state, one.content["place"]) == ("open", "s/b/h1")
    assert one.content["channels"] == ["s/h1-heat", "s/h1-hot_water", "s/h1-water"]
    assert one.content["evidence"][0]["detail"]["intervals"] == 12
    assert [item.content["channels"] for item in said.values() if item is not one] == [["s/h2-heat"]], (
        "nobody draws water at night: a zero contradicts nothing"
    )
    withdraw(homes, number)
    judge(homes)
    assert {item.state for item in queue(homes) if item.cause == one.cause} == {"closed"}


@pytest.mark.parametrize(("idle", "said"), [(True, "supply_outage"), (False, "comms_outage")])
def test_neighbours_on_the_feeder_tell_whether_supply_was_away(homes: City, *, idle: bool, said: str) -> None:
    hole = range(15 * 24 + 4, 15 * 24 + 16)
    rows = [
        (meter, moment, 0.0 if idle and of(meter, moment)[0] == "heat" and of(meter, moment)[2] in hole else value)
        for meter, moment, value in readings(
            21, skip=lambda carrier, home, h: (carrier, home) == ("heat", 0) and h in hole
        )
    ]
    homes.send(rows)
    judge(homes)
    assert {row[2] for row in found(homes) if row[1] == "s/h0-heat" and "outage" in row[2]} == {said}
    filled = qualities_at(homes, "h0-heat", hole.start, hole.stop)
    assert (filled == {"outage_zero": (12, 0)}) == idle
    assert sum(count for count, _ in filled.values()) == 12


def test_a_poisoned_meter_upsets_nobody_else(new_city: NewCity) -> None:
    clean, poisoned = new_city(), new_city()
    for city in (clean, poisoned):
        register(city)
        city.send(readings(28))
    bad = [9e11, -9e11, 1e12]
    poisoned.send([("h0-heat", at(24, hour), bad[hour % 3]) for hour in range(24)])
    for city in (clean, poisoned):
        judge(city)

    def others(city: City) -> list[tuple[int, str, str, str]]:
        return [row for row in found(city) if row[1] != "s/h0-heat"]

    assert others(clean) == others(poisoned)
    assert {item.cause.split()[0] for item in queue(poisoned)} <= {"s/h0-heat"}


def test_what_arrives_takes_the_place_of_what_was_assigned(homes: City) -> None:
    def lost(carrier: str, home: int, hours: int) -> bool:
        return 24 <= hours < 5 * 24 and home == 0 and carrier == "heat"

    homes.send(readings(14, skip=lost))
    judge(homes)
    assert set(qualities_at(homes, "h0-heat", 24, 5 * 24)) == {"class_profile"}
    homes.send([row for row in readings(14) if row[0] == "h0-heat" and at(1) <= row[1] < at(5)])
    judge(homes)
    assert set(qualities_at(homes, "h0-heat", 24, 5 * 24)) == {"valid"}
    assert judge(homes).units == 0


def test_findings_as_known_before_a_late_reading_are_reproduced(homes: City) -> None:
    homes.send([row for row in readings(21) if row[1] < at(18) or not row[0].startswith("h0-")])
    judge(homes)
    before = state(homes)[0]
    batch = homes.engine.last_batch
    homes.send([row for row in readings(21) if row[1] >= at(18) and row[0].startswith("h0-")])
    judge(homes)
    assert state(homes)[0] != before
    with homes.engine.snapshot() as snapshot:
        assert standing_findings(snapshot, known_batch=batch).to_pylist() == before


@pytest.mark.parametrize("seed", range(3))
def test_running_on_what_changed_gives_what_a_run_from_scratch_gives(new_city: NewCity, seed: int) -> None:
    draw = random.Random(seed)
    batches = story(draw)
    step, whole = new_city(), new_city()
    for city in (step, whole):
        register(city)
    outages = [(draw.randrange(HOMES), draw.randrange(24 * 28), draw.choice([3, 30, 100])) for _ in range(3)]
    for number, batch in enumerate(batches):
        step.send(batch)
        whole.send(batch)
        for city in (step, whole):
            if 1 <= number <= len(outages):
                home, first, hours = outages[number - 1]
                kind = ("supply_outage", "comms_outage")[number % 3 == 2]
                say(city, kind, at(0, first), at(0, first + hours), place=f"s/b/h{home}")
            if number in (3, 5):
                withdraw(city, number // 2)
        if number % 2 == 0 or number == 5:
            judge(step)
    judge(step)
    judge(whole)
    assert hash_of(step) == hash_of(whole)
    mine, theirs = state(step), state(whole)
    assert mine[0] == theirs[0]
    assert mine[1] == theirs[1]


def story(draw: random.Random) -> list[list[Reading]]:
    """Give batches in which holes, zeros, late and corrected readings come at random."""
    days = 35
    late: list[Reading] = []
    kept: list[Reading] = []
    zero = (draw.randrange(HOMES), draw.randrange(7, 21))
    holes = [(draw.randrange(HOMES), draw.choice(["heat", "water"]), draw.randrange(24 * 28)) for _ in range(6)]
    lengths = [draw.choice([3, 20, 60, 200]) for _ in holes]
    for row in readings(days):
        carrier, home, hours = of(row[0], row[1])
        value = 0.0 if (home, carrier) == (zero[0], "heat") and hours >= zero[1] * 24 else row[2]
        inside = [
            at
            for at, (h, c, first) in enumerate(holes)
            if (h, c) == (home, carrier) and first <= hours < first + lengths[at]
        ]
        if inside:
            if inside[0] % 2:
                late.append((row[0], row[1], value))
        else:
            kept.append((row[0], row[1], value))
    corrected = [(m, t, round(v + draw.choice([0.001, 5.0, 60.0]), 4)) for m, t, v in draw.sample(kept, 5)]
    cuts = [at(14), at(21), at(30)]
    parts = [
        [row for row in kept if low <= row[1] < high]
        for low, high in zip([at(0), *cuts], [*cuts, at(days)], strict=True)
    ]
    draw.shuffle(late)
    half = len(late) // 2
    return [
        parts[0],
        parts[1],
        late[:half] or corrected[:1],
        parts[2],
        corrected,
        parts[3],
        late[half:] or corrected[:1],
    ]


def test_the_homes_are_what_the_tests_think(homes: City) -> None:
    homes.send(readings(1))
    total = sum(use("heat", 0, hours) for hours in range(24))
    assert qualities_at(homes, "h0-heat", 0, 24)["valid"] == (24, round(total * 1_000_000))
