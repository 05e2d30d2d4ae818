"""The range of a question: what is empty is refused in the words that were written, with what to write instead."""

from zoneinfo import ZoneInfo

import pytest

from quintet.app.asked_time import asked_span
from quintet.terms.errors import UsageError

SEOUL = ZoneInfo("Asia/Seoul")


@pytest.mark.parametrize(
    ("text", "after"),
    [("2025", "2026"), ("2025-03", "2025-04"), ("2025-12", "2026-01"), ("2025-12-31", "2026-01-01")],
)
def test_a_range_of_one_name_says_how_to_ask_for_it(text: str, after: str) -> None:
    with pytest.raises(UsageError) as told:
        asked_span(text, text, SEOUL)
    assert (told.value.code, told.value.message) == ("empty_range", f"the range {text} .. {text} is empty.")
    assert f"For {text} itself write --to {after}." in told.value.remedy
    assert asked_span(text, after, SEOUL).start < asked_span(text, after, SEOUL).end


def test_a_range_that_runs_backwards_is_refused_as_it_was_written() -> None:
    with pytest.raises(UsageError, match=r"the range 2025-03 .. 2025-01-01T00:00:00Z is empty"):
        asked_span("2025-03", "2025-01-01T00:00:00Z", SEOUL)


def test_years_are_whole() -> None:
    span = asked_span("2025", "2026", SEOUL)
    assert (span.start.isoformat(), (span.end - span.start).days) == ("2024-12-31T15:00:00+00:00", 365)
