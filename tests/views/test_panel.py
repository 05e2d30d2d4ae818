"""Meters of two periods side by side: what is silent is filled as if it had changed nothing."""

from collections.abc import Callable
from datetime import date
from fractions import Fraction

from hypothesis import given
from hypothesis import strategies as st

from quintet.views.panel import IMPORT, SIGNS, USE, Key, Line, Panel, filled

CARRIER = ("gas", "volume")
LEVELS = st.lists(st.integers(0, 10**12), min_size=1, max_size=6)
DAYS = 28
TAKEN = {flow: SIGNS[flow] for flow in USE}


def key(number: int, flow: str = "consumption") -> Key:
    return (f"home-{number}", flow, *CARRIER, False)


def line(level: int, heard: int, partial: int = 0, month: int = 0) -> Line:
    """Give a line of `DAYS` days of one use each, of which some were heard whole."""
    out = Line()
    out.whole[month], out.days[month] = level * heard, heard
    out.open[month], out.partial[month] = DAYS - heard, partial
    return out


def year(number: int, lines: dict[Key, Line]) -> Panel:
    return Panel(date(number, 1, 1), date(number, 1, DAYS), lines)


@given(LEVELS, st.data())
def test_whatever_falls_silent_the_use_is_what_it_was(levels: list[int], data: st.DataObject) -> None:
    before = year(2025, {key(at): line(level, DAYS) for at, level in enumerate(levels)})
    silent: dict[Key, Line] = {}
    for at, level in enumerate(levels):
        heard = data.draw(st.integers(0, DAYS))
        partial = data.draw(st.integers(0, level * (DAYS - heard)))
        silent[key(at)] = line(level, heard, partial)
    found = filled(year(2026, silent), before, CARRIER, TAKEN)
    whole = filled(before, year(2026, silent), CARRIER, TAKEN)
    assert found.whole == whole.whole == whole.heard == sum(levels) * DAYS
    assert found.heard <= found.whole
    assert found.open_days == sum(sum(one.open) for one in silent.values())


@given(st.integers(1, 10**9), st.integers(1, DAYS), st.integers(1, 10**9))
def test_what_was_heard_still_counts_as_itself(level: int, heard: int, now: int) -> None:
    before, after = year(2025, {key(0): line(level, DAYS)}), year(2026, {key(0): line(now, heard)})
    assert filled(after, before, CARRIER, TAKEN).whole == now * heard + level * (DAYS - heard)


def test_the_month_counts_then_all_then_the_own_period() -> None:
    def of(change: Callable[[Line], object]) -> Line:
        out = Line()
        change(out)
        return out

    silent = of(lambda one: one.open.__setitem__(1, 10))
    january = of(lambda one: (one.whole.__setitem__(0, 300), one.days.__setitem__(0, 30)))
    both = line(10, DAYS)
    both.whole[1], both.days[1] = 40, 2
    own = line(7, 4)
    for lines, mean in (({key(0): january}, 10), ({key(0): both}, 20)):
        assert filled(year(2026, {key(0): silent}), year(2025, lines), CARRIER, TAKEN).whole == mean * 10
    assert filled(year(2026, {key(0): own}), year(2025, {}), CARRIER, TAKEN).whole == 7 * DAYS
    never = filled(year(2026, {key(0): silent}), year(2025, {}), CARRIER, TAKEN)
    assert (never.whole, never.never_heard, never.open_days) == (0, 1, 10)


def test_what_is_bought_follows_from_the_rest_where_no_import_is_metered() -> None:
    lines = {key(0): line(100, DAYS), key(1, "local_generation"): line(30, 14), key(2, "conversion_in"): line(5, DAYS)}
    own = year(2026, lines)
    before = year(2025, {**lines, key(1, "local_generation"): line(30, DAYS)})
    found = filled(own, before, CARRIER, SIGNS)
    assert (found.heard, found.whole) == (105 * DAYS - 30 * 14, Fraction(75 * DAYS))
    assert filled(own, before, CARRIER, IMPORT).whole == 0
