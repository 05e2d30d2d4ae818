"""A span of rejected values is estimated by all of it, also when it began before what a batch looks at anew."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from .test_windows import Row, register

START = datetime(2025, 1, 6, tzinfo=UTC)
HOUR = timedelta(hours=1)


def played(wrong_from: int, wrong_until: int, count: int) -> list[Row]:
    """Play an hourly meter that shows what its plate does not allow for some hours."""
    return [
        ("plate", START + hour * HOUR, 500.0 if wrong_from <= hour < wrong_until else 1.0 + hour % 7)
        for hour in range(count)
    ]


@pytest.mark.parametrize("hours", [4, 30, 24 * 6, 24 * 9])
def test_a_meter_that_shows_the_impossible_for_long_is_estimated_as_if_all_came_at_once(
    new_bench: Any, hours: int
) -> None:
    begin = 24 * 16 - 2
    rows = played(begin, begin + hours, begin + hours + 24 * 4)
    once, live = new_bench(), new_bench()
    for bench in (once, live):
        register(bench)
    once.send(rows)
    live.send(rows[: begin + 1])
    step = 13 if hours > 24 * 2 else 5
    for low in range(begin + 1, len(rows), step):
        live.send(rows[low : low + step])
    assert live.effective() == once.effective()
    assert live.rollup_days() == once.rollup_days()
