"""The rules judged at commit, written for pandas over a whole city at once: one frame, a column a meter.

Plain and fair: no loop over meters or intervals but for the few long gaps, numpy only where pandas has no word for it
(the third highest of a day). Amounts are float64 with NaN for missing: whole numbers below 2**53 are exact in it.
"""

import numpy as np
import pandas as pd

MISSING, VALID, QUESTIONABLE, REJECTED, LINEAR, LIKE_DAY = (
    "-",
    "valid",
    "questionable",
    "rejected",
    "linear",
    "like_day",
)


CODES = ["missing", "valid", "questionable", "rejected", "linear", "like_day"]
"""What the codes of a quality mean, by number."""


def judge(frame: pd.DataFrame, meters: pd.DataFrame, settings: dict) -> tuple[dict, pd.DataFrame, pd.DataFrame]:
    """Judge and fill a frame (index: local time of each interval's start; columns: meters).

    `meters` has a row a meter: for each rule whether it applies, `plate` (most in an interval), `floor` (spike floor in
    an interval). `settings`: ratio, times, line (longest straight line in intervals), alike (days by weekday). Gives
    the hits by rule, the values and the qualities (as categories' codes).
    """
    hits = {
        "V12_negative": frame.lt(0) & meters["V12_negative"],
        "V16": frame.abs().gt(meters["plate"], axis="columns") & meters["V16"],
    }
    left = frame.mask(hits["V12_negative"] | hits["V16"])
    day = frame.index.normalize()
    hits["V12_reverse"] = left.lt(0) & meters["V12_reverse"]
    hits["V07"] = spikes(left.fillna(0), day, meters, settings["ratio"])
    blank = left.eq(0).groupby(day).all() & meters["V10"]
    hits["V10"] = pd.DataFrame(blank.to_numpy()[day_numbers(day)], frame.index, frame.columns)
    hits["V18"] = stuck(left, settings["times"]) & meters["V18"]
    flagged = hits["V12_reverse"] | hits["V07"] | hits["V10"] | hits["V18"]
    quality = qualities(frame, left, flagged)
    value = fill(left, quality, settings)
    return hits, value, quality


def day_numbers(day: pd.DatetimeIndex) -> np.ndarray:
    """Give each interval its day's number, from 0."""
    return pd.factorize(day)[0]


def qualities(frame: pd.DataFrame, left: pd.DataFrame, flagged: pd.DataFrame) -> pd.DataFrame:
    """Say what each interval is worth."""
    codes = np.select(
        [frame.isna().to_numpy(), left.isna().to_numpy(), flagged.to_numpy()], [0, 3, 2], default=1
    ).astype(np.int8)
    return pd.DataFrame(codes, frame.index, frame.columns)


def spikes(zero: pd.DataFrame, day: pd.DatetimeIndex, meters: pd.DataFrame, ratio: float) -> pd.DataFrame:
    """V07: values of a day above its third highest by more than a ratio."""
    third = pd.DataFrame(
        {date: np.partition(part.to_numpy(), -3, axis=0)[-3] for date, part in zero.groupby(day)}, index=zero.columns
    ).T
    first = zero.groupby(day).max()
    limit = third.clip(lower=0) * (1 + ratio)
    limit = limit.where((third > 0) & first.ge(meters["floor"], axis="columns") & meters["V07"], np.inf)
    return zero.gt(limit.to_numpy()[day_numbers(day)])


def stuck(left: pd.DataFrame, times: int) -> pd.DataFrame:
    """V18: the same value, not zero, so many times in a row."""
    same = (left.eq(left.shift()) & left.ne(0)).astype("float32")
    ends = same.rolling(times - 1).sum().eq(times - 1).astype("float32")
    return ends[::-1].rolling(times, min_periods=1).max()[::-1].eq(1)


def fill(left: pd.DataFrame, quality: pd.DataFrame, settings: dict) -> pd.DataFrame:
    """Fill gaps: a straight line between sound neighbours near enough, like days for longer ones; marks `quality`."""
    gap = left.isna()
    # A run has one number: that of the sound interval before it. Its length is how often that number stands.
    number = (~gap).cumsum()
    length = run_lengths(gap, number)
    sound = left.where(quality.eq(1))
    unsound = sound.isna()
    apart = run_lengths(unsound, (~unsound).cumsum())
    line = sound.interpolate(limit_area="inside").round()
    short = gap & (length <= settings["line"]) & (apart <= settings["line"]) & line.notna()
    value = left.fillna(0).mask(short, line)
    quality.mask(short, 4, inplace=True)
    long = gap & (length > settings["line"])
    whole = left.notna().groupby(left.index.normalize()).all()
    for meter in long.columns[long.any()]:
        fill_long(meter, long[meter], sound[meter], whole[meter], settings, value, quality)
    return value


def run_lengths(mask: pd.DataFrame, number: pd.DataFrame) -> pd.DataFrame:
    """Give for each True the length of its run, 0 elsewhere."""
    out = np.zeros(mask.shape, np.int64)
    held = mask.columns[mask.any()]
    for meter in held:
        own = mask[meter]
        runs = number[meter][own]
        out[own.to_numpy(), mask.columns.get_loc(meter)] = runs.map(runs.value_counts()).to_numpy()
    return pd.DataFrame(out, mask.index, mask.columns)


def fill_long(
    meter: int,
    long: pd.Series,
    sound: pd.Series,
    whole: pd.Series,
    settings: dict,
    value: pd.DataFrame,
    quality: pd.DataFrame,
) -> None:
    """Fill a meter's long gaps with the mean of the nearest valid like days."""
    at = long.index[long]
    breaks = np.flatnonzero(np.diff(at) != settings["step"]) + 1
    for gap in np.split(at, breaks):
        began = gap[0].normalize()
        for day, slots in gap.groupby(gap.normalize()).items():
            shapes = []
            for candidate in candidates(day, began, settings["alike"]):
                if candidate in whole.index and whole[candidate]:
                    shape = sound.reindex(candidate + (slots - day))
                    if shape.notna().all():
                        shapes.append(shape.to_numpy())
                if len(shapes) == settings["most"]:
                    break
            if shapes:
                value.loc[slots, meter] = np.rint(np.mean(shapes, axis=0))
                quality.loc[slots, meter] = 5


def candidates(day: pd.Timestamp, began: pd.Timestamp, alike: dict) -> list[pd.Timestamp]:
    """List the days that may stand for a day, best first, all before the gap began; weeks start on Sunday."""
    sunday = day - pd.Timedelta(days=day.isoweekday() % 7)
    named = alike[day.isoweekday() % 7]
    days = [sunday + pd.Timedelta(days=weekday - 7 * weeks) for weekday, weeks in named]
    return [one for one in days if one < began]
