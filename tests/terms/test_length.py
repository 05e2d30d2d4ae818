"""Lengths of time and resolutions: equal lengths are equal names, everything else is refused by name."""

import pytest

from quintet.terms.errors import UsageError
from quintet.terms.length import length_us, resolution_of
from quintet.terms.period import MINUTE_US, Resolution


@pytest.mark.parametrize(
    ("text", "minutes"),
    [
        ("15min", 15), ("15", 15), ("PT15M", 15), ("900s", 15), ("900000ms", 15), ("1h", 60), ("1 hour", 60),
        ("hour", 60), ("P1D", 1440), ("1day", 1440), ("day", 1440), ("00:04:00", 4), ("-4min", -4), ("+4m", 4),
        ("0.5min", 0.5), ("0", 0), ("1:30", 90),
    ],
)  # fmt: skip
def test_lengths(text: str, minutes: float) -> None:
    assert length_us(text, "x") == minutes * MINUTE_US


@pytest.mark.parametrize(
    "text", ["", "soon", "1 month", "P1M", "1.5us", "nan", "inf", "1e3min", "1:70", "9" * 30, "1h1h"]
)
def test_what_is_no_length_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="--interval: ") as caught:
        length_us(text, "--interval")
    assert caught.value.remedy


@pytest.mark.parametrize("step", list(Resolution))
def test_every_resolution_is_read_by_its_own_name(step: Resolution) -> None:
    assert resolution_of(step.value) is step


@pytest.mark.parametrize(
    ("text", "step"),
    [
        ("60min", Resolution.HOUR), ("1h", Resolution.HOUR), ("PT1H", Resolution.HOUR), ("3600s", Resolution.HOUR),
        ("24h", Resolution.DAY), ("1440min", Resolution.DAY), ("P1D", Resolution.DAY), ("0.25h", Resolution.QUARTER),
        ("half", None), ("1month", Resolution.MONTH), ("P1M", Resolution.MONTH), ("Month", Resolution.MONTH),
        ("45min", None), ("2h", None), ("", None), ("-1h", None), ("week", None),
    ],
)  # fmt: skip
def test_equal_lengths_are_equal_names(text: str, step: Resolution | None) -> None:
    if step is not None:
        assert resolution_of(text) is step
        return
    with pytest.raises(UsageError, match=r"there is no resolution .* Known: 15min, 30min, hour, day, month") as caught:
        resolution_of(text, "--resolution")
    assert (caught.value.code, caught.value.place) == ("bad_resolution", "--resolution")
