"""Standing alerts: the same look twice is one alert, no problem stays no problem, and all is there after a restart."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from itertools import count
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from quintet.registry.alerts import Seen, StandingAlerts
from quintet.store.alerts import looks_of, steps_of
from quintet.store.engine import Engine
from quintet.terms.alert import DISMISSED, ENDED, STANDING, Alert, alert_kinds
from quintet.terms.errors import BadInput, NotFound
from quintet.terms.period import HOUR_US

DAY_US = 24 * HOUR_US
NOW_US = 1_780_000_000_000_000
LEAK = ("water_leak", "water")
_places = count()


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    out = Engine.open(tmp_path_factory.mktemp("alerts"), "UTC")
    out.now = lambda: NOW_US
    yield out
    out.close()


@pytest.fixture
def place() -> str:
    return f"c1/101/{next(_places)}"


def leak(place: str, flow: float, at_us: int = NOW_US, tenancy_us: int = 0, **more: object) -> Seen:
    """Give a look that found a leak."""
    figures: Mapping[str, float] = {"hours": 80, "flow": flow}
    alert = Alert("", place, *LEAK, at_us - 3 * DAY_US, at_us - 50 * DAY_US, tenancy_us, at_us, figures, 400, "day",
                  "", 0.999)  # fmt: skip
    return Seen(place, at_us, tenancy_us, [alert], [], [])


def fine(place: str, at_us: int = NOW_US, tenancy_us: int = 0) -> Seen:
    return Seen(place, at_us, tenancy_us, [], [LEAK], [])


def test_a_look_raises_once_changes_nothing_twice_and_ends_it_when_it_is_over(engine: Engine, place: str) -> None:
    alerts = StandingAlerts(engine)
    (raised,) = alerts.take([leak(place, 10.0)]).raised
    assert (raised.state, raised.figures["flow"], raised.raised_us) == (STANDING, 10.0, NOW_US)
    before = engine.last_batch
    assert alerts.take([leak(place, 10.0)]) == alerts.take([leak(place, 10.0)])
    assert engine.last_batch == before
    (ended,) = alerts.take([fine(place, NOW_US + DAY_US)]).ended
    assert (ended.id, ended.state, ended.end_reason, ended.ended_us) == (raised.id, ENDED, "over", NOW_US + DAY_US)
    assert alerts.take([fine(place, NOW_US + DAY_US)]).ended == ()
    (again,) = alerts.take([leak(place, 10.0, NOW_US + 2 * DAY_US)]).raised
    assert again.id != raised.id


def test_what_cannot_be_judged_ends_nothing(engine: Engine, place: str) -> None:
    alerts = StandingAlerts(engine)
    alerts.take([leak(place, 10.0)])
    news = alerts.take([Seen(place, NOW_US + DAY_US, 0, [], [], [(*LEAK, "silent", {"hours": 30})])])
    assert (news.raised, news.ended) == ((), ())
    assert alerts.of(place)[0].state == STANDING


@settings(max_examples=30)
@given(flow=st.floats(1, 1000), share=st.floats(0.1, 1.49), days=st.integers(1, 80), gap=st.booleans())
def test_no_problem_stays_no_problem_until_it_grows(
    engine: Engine, flow: float, share: float, days: int, gap: bool
) -> None:
    place, alerts = f"c1/102/{next(_places)}", StandingAlerts(engine)
    (raised,) = alerts.take([leak(place, flow)]).raised
    assert alerts.dismiss(raised.id, by="p1").state == DISMISSED
    later = NOW_US + days * DAY_US
    if gap:
        alerts.take([fine(place, NOW_US + HOUR_US)])
    assert alerts.take([leak(place, flow * share, later)]).raised == ()
    assert {one.state for one in alerts.of(place)} <= {DISMISSED, ENDED}
    times = alert_kinds()["water_leak"].times
    (worse,) = alerts.take([leak(place, flow * times * 1.01, later + HOUR_US)]).raised
    assert (worse.state, worse.dismissed_us) == (STANDING, None)


def test_a_season_later_the_same_is_told_again(engine: Engine, place: str) -> None:
    alerts = StandingAlerts(engine)
    (raised,) = alerts.take([leak(place, 10.0)]).raised
    alerts.dismiss(raised.id, by="p1")
    alerts.take([fine(place, NOW_US + DAY_US)])
    hold = alert_kinds()["water_leak"].hold_days
    assert len(alerts.take([leak(place, 10.0, NOW_US + (hold + 1) * DAY_US)]).raised) == 1


def test_what_was_said_before_the_time_that_is_looked_at_excuses_nothing(engine: Engine, place: str) -> None:
    """Where no move is recorded the next household's account begins later: a gas leak is no problem of the last one."""
    alerts = StandingAlerts(engine)
    (raised,) = alerts.take([leak(place, 10.0)]).raised
    alerts.dismiss(raised.id, by="p1")
    both = replace(leak(place, 10.0, NOW_US + DAY_US), begins_us=NOW_US - 40 * DAY_US)
    assert alerts.take([both]).raised == ()  # it was said in the time of who lives there now
    later = replace(leak(place, 10.0, NOW_US + 60 * DAY_US), begins_us=NOW_US + 5 * DAY_US)
    (told,) = alerts.take([later]).raised
    assert (told.state, told.dismissed_us, told.dismissed_by) == (STANDING, None, "")


def test_figures_that_a_sentence_names_are_kept_up_to_date(engine: Engine, place: str) -> None:
    def kept(days: int, hours: int, at_us: int) -> tuple[int, list[list[object]]]:
        unsaid = [(*LEAK, "moved_in", {"days": days, "needed_days": 14}), ("tier", "water", "silent", {"hours": hours})]
        alerts.take([Seen(place, at_us, 0, [], [], unsaid)])
        with engine.snapshot() as snapshot:
            (look,) = looks_of(snapshot, place)
        return engine.last_batch, look.body

    alerts = StandingAlerts(engine)
    first, _ = kept(1, 30, NOW_US)
    assert kept(1, 31, NOW_US + HOUR_US)[0] == first  # the words would be the same
    second, body = kept(2, 54, NOW_US + DAY_US)
    assert second > first
    assert body == [[*LEAK, "moved_in", {"days": 2, "needed_days": 14}], ["tier", "water", "silent", {"hours": 54}]]
    alerts = StandingAlerts(engine)
    assert kept(2, 55, NOW_US + DAY_US + HOUR_US)[0] == second


def test_taking_back_and_what_ended_and_what_is_none(engine: Engine, place: str) -> None:
    alerts = StandingAlerts(engine)
    (raised,) = alerts.take([leak(place, 10.0)]).raised
    alerts.dismiss(raised.id, by="p1")
    assert alerts.undo(raised.id, by="p1").state == STANDING
    before = engine.last_batch
    assert alerts.undo(raised.id, by="p1").state == STANDING
    assert engine.last_batch == before
    alerts.take([fine(place, NOW_US + DAY_US)])
    with pytest.raises(BadInput, match="has ended"):
        alerts.dismiss(raised.id, by="p1")
    assert alerts.told(raised.id, by="mail", outcome="sent").told[0].by == "mail"
    with pytest.raises(NotFound):
        alerts.dismiss("0" * 16, by="p1")


def test_another_household_does_not_take_over_an_alert(engine: Engine, place: str) -> None:
    alerts = StandingAlerts(engine)
    (raised,) = alerts.take([leak(place, 10.0)]).raised
    alerts.dismiss(raised.id, by="p1")
    news = alerts.take([leak(place, 10.0, NOW_US + DAY_US, tenancy_us=NOW_US)])
    assert (news.ended[0].end_reason, news.raised[0].tenancy_us) == ("moved", NOW_US)


def test_a_restart_knows_all_that_was_said(engine: Engine, place: str) -> None:
    alerts = StandingAlerts(engine)
    (raised,) = alerts.take([leak(place, 10.0)]).raised
    alerts.take([leak(place, 40.0, NOW_US + HOUR_US)])
    alerts.dismiss(raised.id, by="p1")
    alerts.told(raised.id, by="push", outcome="sent")
    alerts.set_budget(place, 90_000, tenancy_us=0, by="p1")
    again = StandingAlerts(engine)
    assert again.of(place) == alerts.of(place)
    assert (again.of(place)[0].figures["flow"], again.of(place)[0].dismissed_by) == (40.0, "p1")
    held = again.budget(place, 0)
    assert held is not None
    assert (held.won, held.by) == (90_000, "p1")
    assert again.budget(place, NOW_US) is None
    again.set_budget(place, None, tenancy_us=0, by="p1")
    assert place not in StandingAlerts(engine).budgets()
    with engine.snapshot() as snapshot:
        assert [one.step for one in steps_of(snapshot, place)] == ["raised", "changed", "dismissed", "told"]


def test_a_store_without_alerts_has_none(tmp_path: Path) -> None:
    other = Engine.open(tmp_path, "UTC")
    try:
        assert StandingAlerts(other).open() == []
        with pytest.raises(NotFound):
            StandingAlerts(other).alert("1")
    finally:
        other.close()
