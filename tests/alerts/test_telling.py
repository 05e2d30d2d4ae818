"""Telling people: once, at the right hour, only who lives there, through restarts and failures."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import count, pairwise
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from tests.app.peopled import HOMES, NOW, Hand

from quintet.access.telling import Chosen, Target
from quintet.alerts.channel import Outcome
from quintet.alerts.quiet import minutes_of, quiet, told_from
from quintet.alerts.telling_limits import telling_limits
from quintet.terms.alert import ENDED
from quintet.terms.period import from_us, to_us

from .telling_town import HOME, Town

SEOUL, BERLIN, LORD_HOWE = ZoneInfo("Asia/Seoul"), ZoneInfo("Europe/Berlin"), ZoneInfo("Australia/Lord_Howe")
SPRING, AUTUMN = datetime(2026, 3, 29, tzinfo=UTC), datetime(2026, 10, 25, tzinfo=UTC)
"""Days on which the clock of Berlin changes."""


@pytest.fixture
def town(tmp_path: Path) -> Iterator[Town]:
    out = Town(tmp_path / "city", Hand())
    yield out
    out.city.close()


def test_an_alert_is_told_once_to_each_target(town: Town) -> None:
    mina = town.person()
    town.mail(mina)
    town.mail(mina, "second@naju.example")
    assert town.teller.tell([town.alert()]) == 2
    assert town.teller.send() == 2
    assert town.teller.tell([town.alert()]) == 0
    assert town.teller.send() == 0
    assert {target.address for target, _ in town.channel.sent} == {"mina@naju.example", "second@naju.example"}
    assert town.told == [("a1", "sent")] * 2
    held = town.kept.notices(mina.id).values()
    assert [(one.state, one.text, one.title) for one in held] == [("sent", "", "tier en")] * 2  # only the title is kept


def test_the_same_trouble_is_told_again_only_when_worse_or_after_a_while(town: Town) -> None:
    town.mail(town.person())
    flow = {"kind": "water_leak"}
    town.teller.tell([town.alert(**flow)])
    for name, figures, days, expected in (
        ("a1", {"flow": 14.9}, 1, 0),
        ("a2", {"flow": 12.0}, 1, 0),  # raised anew a day later: no news
        ("a2", {"flow": 15.0}, 0, 1),  # half as much again
        ("a3", {"flow": 15.0}, 8, 1),
    ):
        town.teller.send()
        town.wait(days=days)
        assert town.teller.tell([town.alert(name, figures=figures, **flow)]) == expected, name


def test_only_who_lives_there_now_and_saw_what_it_rests_on_is_told(town: Town) -> None:
    mina, other = town.person(), town.person("jun", HOMES[1])
    town.mail(mina)
    town.mail(other, "jun@naju.example")
    early = town.alert(from_us=to_us(NOW - timedelta(days=900)))  # rests on what was before her time
    assert town.teller.tell([early]) == 0
    assert town.teller.tell([town.alert("a2")]) == 1
    right = next(iter(mina.rights))
    town.city.people.revoke(mina, right, actor="test")
    assert town.teller.send() == 0
    assert [(one.state, one.reason) for one in town.kept.notices(mina.id).values()] == [("dropped", "moved")]
    assert town.channel.sent == []


def test_an_address_that_comes_later_hears_once_of_what_stands_and_a_contact_does_not(town: Town) -> None:
    mina = town.person()
    town.mail(mina)
    leak, dry = town.alert(kind="water_leak"), town.alert("a2", "no_water")
    assert town.teller.catch_up([leak, dry]) == 2
    town.wait(hours=1)
    town.mail(mina, "new@naju.example")
    agreed = town.audience.agree(mina, "Ann", "no_water", HOMES[0], None, ("water",))
    ann = Target("mail", "ann@naju.example", town.hand(), town.hand(), place=HOMES[0], contact="Ann", consent=agreed)
    town.kept.keep_target(mina.id, ann)
    town.teller.send()
    assert [target.address for target, _ in town.channel.sent] == ["mina@naju.example"]
    assert town.teller.catch_up([leak, dry]) == 2
    town.teller.send()
    assert [target.address for target, _ in town.channel.sent][1:] == ["new@naju.example"]
    town.wait(days=30)
    assert town.teller.catch_up([leak, dry]) == 0
    assert town.teller.tell([town.alert("a3", "no_water")]) == 3  # one that is raised after she agreed


@pytest.mark.parametrize("why", ["off", "unconfirmed", "ended", "dismissed", "disabled"])
def test_what_is_not_wanted_is_not_told(town: Town, why: str) -> None:
    mina = town.person()
    name = town.mail(mina)
    alert = town.alert()
    if why == "off":
        town.kept.choose(mina.id, Chosen(off=("tier",)))
    if why == "unconfirmed":
        target = town.kept.targets(mina.id)[name]
        town.kept.keep_target(mina.id, type(target)("mail", target.address, target.created_us), name)
    town.teller.tell([alert])
    if why == "ended":
        town.teller.tell([town.alert(state=ENDED)])
    if why == "dismissed":
        town.ended.add("a1")
    if why == "disabled":
        town.city.people.disable(mina, actor="test")
    town.teller.send()
    assert town.channel.sent == []


def test_several_at_once_are_one_message_in_the_persons_language(town: Town) -> None:
    town.mail(town.person(language="ko"))
    town.teller.tell([town.alert("a1"), town.alert("a2", "budget"), town.alert("a3", "dead_meter")])
    assert town.teller.send() == 1
    (_, parcel), *more = town.channel.sent
    assert more == []
    assert parcel.title == "우리 집 알림 3건"
    assert sorted(town.channel.titles) == ["budget ko", "dead_meter ko", "tier ko"]


def test_a_failure_is_tried_again_later_and_later_then_given_up_with_its_reason(town: Town) -> None:
    mina = town.person()
    name = town.mail(mina)
    town.channel.outcome = Outcome("later", "unreachable")
    town.teller.tell([town.alert()])
    began, tries = town.hand.now, list[datetime]()
    while town.hand.now - began < timedelta(days=6):
        before = len(town.channel.sent)
        town.teller.send()
        if len(town.channel.sent) > before:
            tries.append(town.hand.now)
        town.wait(minutes=1 if len(tries) < 5 else 5)
    waits = [later - one for one, later in pairwise(tries)]
    assert waits[:4] == [timedelta(minutes=minutes) for minutes in (1, 4, 16, 64)]
    assert max(waits) == timedelta(seconds=telling_limits().retry_most_s)
    assert tries[-1] - began < timedelta(hours=telling_limits().give_up_hours + 5)
    held = list(town.kept.notices(mina.id).values())
    assert [(one.state, one.reason) for one in held] == [("given_up", "unreachable")]
    assert town.told == [("a1", "given_up")]
    assert town.kept.targets(mina.id)[name].trouble == "unreachable"
    assert len({parcel.id for _, parcel in town.channel.sent}) == 1  # the same name each time


def test_a_target_that_is_gone_is_forgotten_and_the_list_says_why(town: Town) -> None:
    mina = town.person()
    town.mail(mina)
    town.channel.outcome = Outcome("gone", "gone")
    town.teller.tell([town.alert()])
    town.teller.send()
    assert town.kept.targets(mina.id) == {}
    assert [(one.state, one.reason) for one in town.kept.notices(mina.id).values()] == [("given_up", "gone")]


def test_a_restart_loses_nothing_and_tells_nothing_twice(town: Town) -> None:
    mina = town.person()
    town.mail(mina)
    town.teller.tell([town.alert("a1")])
    later = town.again()
    try:
        assert later.teller.tell([later.alert("a1")]) == 0
        assert later.teller.send() == 1
    finally:
        again = later.again()
    town.city = again.city
    assert again.teller.send() == 0
    assert again.teller.tell([again.alert("a1")]) == 0


def test_who_ends_sends_no_more_and_loses_nothing(town: Town) -> None:
    town.mail(town.person())
    town.teller.tell([town.alert()])
    town.teller.ending.set()
    assert town.teller.send() == 0
    town.teller.ending.clear()
    assert town.teller.send() == 1


def test_catching_up_tells_what_was_missed_and_what_got_worse_and_keeps_what_stands(town: Town) -> None:
    mina = town.person()
    town.mail(mina)
    leak = town.alert(kind="water_leak")
    assert town.teller.catch_up([leak]) == 1
    town.teller.send()
    town.wait(days=200)
    assert town.teller.catch_up([leak]) == 0
    assert town.teller.catch_up([replace(leak, figures={"flow": 20.0})]) == 1
    town.teller.send()
    town.wait(days=200)
    assert town.teller.catch_up([]) == 0
    assert town.kept.notices(mina.id) == {}


def test_no_more_than_a_days_share_reaches_a_target_but_what_is_urgent_does(town: Town) -> None:
    mina = town.person()
    town.mail(mina)
    most = telling_limits().parcels_a_day
    for number in range(most + 3):
        place = town.alert(f"a{number}", commodity=f"c{number}")
        town.teller.tell([place])
        town.teller.send()
        town.wait(minutes=1)
    assert len(town.channel.sent) == most
    town.teller.tell([town.alert("urgent", "gas_unresting")])
    town.teller.send()
    assert town.channel.titles[-1] == "gas_unresting en"
    town.wait(days=1, hours=2)
    town.teller.send()
    assert len(town.channel.titles) == most + 4


@pytest.mark.parametrize(
    ("kind", "leaves"),
    [("tier", "2026-03-06 07:00"), ("gas_unresting", "2026-03-05 23:30"), ("budget", "2026-03-06 07:00")],
)
def test_quiet_hours_hold_what_is_not_urgent(town: Town, kind: str, leaves: str) -> None:
    town.hand.now = datetime(2026, 3, 5, 23, 30, tzinfo=SEOUL)
    mina = town.person()
    town.mail(mina)
    town.kept.choose(mina.id, Chosen(quiet_from_min=22 * 60, quiet_until_min=7 * 60))
    town.teller.tell([town.alert(kind=kind)])
    for _ in range(20 * 6):
        if town.teller.send():
            break
        town.wait(minutes=10)
    assert town.hand.now.astimezone(SEOUL).strftime("%Y-%m-%d %H:%M") == leaves


@given(
    at=st.integers(to_us(SPRING - timedelta(days=3)) // 60_000_000, to_us(AUTUMN + timedelta(days=3)) // 60_000_000),
    first=st.integers(0, 1439),
    last=st.integers(0, 1439),
    tz=st.sampled_from([SEOUL, BERLIN, LORD_HOWE]),
)
@example(at=to_us(SPRING + timedelta(hours=0, minutes=30)) // 60_000_000, first=60, last=150, tz=BERLIN)
@example(at=to_us(AUTUMN + timedelta(hours=0, minutes=30)) // 60_000_000, first=120, last=150, tz=BERLIN)
@example(at=to_us(AUTUMN + timedelta(hours=0)) // 60_000_000, first=0, last=1439, tz=BERLIN)
def test_nothing_leaves_inside_quiet_hours_and_everything_as_soon_as_they_end(
    at: int, first: int, last: int, tz: ZoneInfo
) -> None:
    moment = at * 60_000_000
    leaves = told_from(moment, tz, first, last)
    assert leaves >= moment
    assert not quiet(leaves, tz, first, last)
    local = from_us(leaves).astimezone(tz)
    inside = (first <= local.hour * 60 + local.minute < last) if first <= last else None
    assert not inside
    if leaves > moment:  # the minute before was quiet still: not later than need be
        assert quiet(leaves - 60_000_000, tz, first, last)
        assert leaves - moment <= 25 * 3_600_000_000


@pytest.fixture(scope="module")
def lasting(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    out = Town(tmp_path_factory.mktemp("telling") / "city", Hand())
    yield out
    out.city.close()


NUMBERS = count()


@settings(max_examples=40)
@given(first=st.integers(0, 1439), length=st.integers(1, 1439), arrives=st.integers(0, 2879))
def test_through_the_outbox_it_is_told_once_after_the_quiet_hours(
    lasting: Town, first: int, length: int, arrives: int
) -> None:
    lasting.wait(minutes=arrives)
    lasting.channel.sent.clear()
    mina = lasting.person(f"mina{next(NUMBERS)}")
    lasting.mail(mina)
    hours = (first, (first + length) % 1440)
    lasting.kept.choose(mina.id, Chosen(quiet_from_min=hours[0], quiet_until_min=hours[1]))
    lasting.teller.tell([lasting.alert(mina.id)])
    tz = lasting.city.registry().tz
    for _ in range(12):
        now = lasting.hand()
        assert not (lasting.teller.send() and quiet(now, tz, *hours))
        lasting.wait(seconds=(told_from(now, tz, *hours) - now) / 1_000_000 or 3 * 3600)
    assert len(lasting.channel.sent) == 1
    lasting.city.people.erase(mina, actor="test")


@pytest.mark.parametrize(
    ("text", "minutes"),
    [("22:00", 1320), ("00:00", 0), ("7:00", None), ("24:00", None), ("12:60", None), ("٢٢:00", None)],
)
def test_a_time_of_day_is_read_strictly(text: str, minutes: int | None) -> None:
    assert minutes_of(text) == minutes


def test_a_dwelling_elsewhere_is_nobodys_business(town: Town) -> None:
    town.mail(town.person())
    assert town.teller.tell([town.alert(place="c1/101/2"), town.alert(place="nowhere")]) == 0
    assert HOME == "c1/101/1"
