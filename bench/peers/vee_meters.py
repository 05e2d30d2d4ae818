"""The rules judged at commit, written for pandas a meter at a time: a loop over series, as most such code is."""

import numpy as np
import pandas as pd


def judge(frame: pd.DataFrame, meters: pd.DataFrame, settings: dict) -> tuple[dict, pd.DataFrame, pd.DataFrame]:
    """Judge and fill meter by meter; takes and gives what the wide form does."""
    hits: dict[str, dict] = {}
    values, qualities = {}, {}
    for meter, series in frame.items():
        found, value, quality = judge_meter(series, meters.loc[meter], settings)
        for rule, mask in found.items():
            hits.setdefault(rule, {})[meter] = mask
        values[meter], qualities[meter] = value, quality
    frames = {rule: pd.DataFrame(masks).reindex(columns=frame.columns) for rule, masks in hits.items()}
    return frames, pd.DataFrame(values), pd.DataFrame(qualities)


def judge_meter(series: pd.Series, meter: pd.Series, settings: dict) -> tuple[dict, pd.Series, pd.Series]:
    """Judge and fill one meter's intervals."""
    hits = {
        "V12_negative": (series < 0) & meter["V12_negative"],
        "V16": (series.abs() > meter["plate"]) & meter["V16"],
    }
    left = series.mask(hits["V12_negative"] | hits["V16"])
    by_day = left.fillna(0).groupby(left.index.normalize())
    hits["V12_reverse"] = (left < 0) & meter["V12_reverse"]
    hits["V07"] = by_day.transform(spikes, meter["floor"], settings["ratio"]).astype(bool) & meter["V07"]
    hits["V10"] = left.eq(0).groupby(left.index.normalize()).transform("all") & meter["V10"]
    hits["V18"] = stuck(left, settings["times"]) & meter["V18"]
    quality = pd.Series(1, series.index, dtype="int8")
    quality[hits["V12_reverse"] | hits["V07"] | hits["V10"] | hits["V18"]] = 2
    quality[left.isna()] = 3
    quality[series.isna()] = 0
    return hits, fill(left, quality, settings), quality


def spikes(day: pd.Series, floor: float, ratio: float) -> pd.Series:
    """V07 for one day."""
    third = day.nlargest(3).iloc[-1]
    if third <= 0 or day.max() < floor:
        return pd.Series(False, day.index)
    return day > third * (1 + ratio)


def stuck(left: pd.Series, times: int) -> pd.Series:
    """V18: runs of equal values, not zero."""
    run = left.ne(left.shift()).cumsum()
    return (run.map(run.value_counts()) >= times) & left.ne(0) & left.notna()


def fill(left: pd.Series, quality: pd.Series, settings: dict) -> pd.Series:
    """Fill gaps: straight lines and like days; marks `quality`."""
    value = left.fillna(0)
    gap = left.isna()
    if not gap.any():
        return value
    sound = left.where(quality == 1)
    unsound = sound.isna()
    apart = unsound.groupby((~unsound).cumsum()).transform("sum")
    line = sound.interpolate(limit_area="inside").round()
    whole = left.notna().groupby(left.index.normalize()).all()
    number = (~gap).cumsum()
    for _, run in number[gap].groupby(number[gap]):
        slots = run.index
        if len(slots) <= settings["line"]:
            if apart[slots[0]] <= settings["line"] and line[slots].notna().all():
                value[slots] = line[slots]
                quality[slots] = 4
            continue
        began = slots[0].normalize()
        for day, own in slots.groupby(slots.normalize()).items():
            shape = like_day(day, began, own, sound, whole, settings)
            if shape is not None:
                value[own] = shape
                quality[own] = 5
    return value


def like_day(
    day: pd.Timestamp, began: pd.Timestamp, slots: pd.DatetimeIndex, sound: pd.Series, whole: pd.Series, settings: dict
) -> np.ndarray | None:
    """Give the mean of the nearest valid like days of a part of a day, None without one."""
    sunday = day - pd.Timedelta(days=day.isoweekday() % 7)
    shapes = []
    for weekday, weeks in settings["alike"][day.isoweekday() % 7]:
        candidate = sunday + pd.Timedelta(days=weekday - 7 * weeks)
        if candidate < began and candidate in whole.index and whole[candidate]:
            shape = sound.reindex(candidate + (slots - day))
            if shape.notna().all():
                shapes.append(shape.to_numpy())
        if len(shapes) == settings["most"]:
            break
    return np.rint(np.mean(shapes, axis=0)) if shapes else None
