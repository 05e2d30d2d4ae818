"""Operations that say how certain totals are, and whether that was said rightly."""

from typing import Any

import msgspec

from quintet.access import EVERYTHING
from quintet.views.certainty import place_certainty, trials, unit_of

from .answer import Answer, Progress, document_of
from .asked_time import asked_moment, asked_span
from .cells import local, plain, rows_of
from .city import City
from .requests import Uncertainty, UncertaintyTrials

COLUMNS = [
    "commodity", "flow", "total", "low", "best", "high", "unit", "measured", "meters", "meters_open", "coverage",
    "estimated_share", "interval_to", "reason",
]  # fmt: skip
TRIAL_COLUMNS = [
    "commodity", "flow", "unit", "meters", "way", "hidden", "trials", "inside", "inside_share", "refused", "mean_width",
]  # fmt: skip


def uncertainty(city: City, asked: Uncertainty, _progress: Progress) -> Answer:
    """Give each flow's total of a place over whole local days with its bounds."""
    tz = city.registry().tz
    span = asked_span(asked.start, asked.end, tz)
    known_at = asked_moment(asked.known_at, tz)
    found = place_certainty(city.access(EVERYTHING), asked.place, span, level=asked.level, known_at=known_at, tz=tz)
    rows: list[dict[str, Any]] = [msgspec.structs.asdict(row) for row in found.rows]
    document = {
        "known_at": local(found.known_at, tz), "rule_set": found.rule_set, "place": found.place,
        "from": local(found.start, tz), "to": local(found.end, tz), "level": found.level, "rows": plain(rows),
    }  # fmt: skip
    return Answer(
        COLUMNS,
        rows_of(COLUMNS, rows),
        document_of(document),
        numbers=[*COLUMNS[2:6], *COLUMNS[7:12]],
        title=f"{asked.place}: totals with their interval at {asked.level:.0%}, known at {document['known_at']}",
    )


def uncertainty_trials(city: City, asked: UncertaintyTrials, _progress: Progress) -> Answer:
    """Hide known meters at random, again and again, and count how often the interval holds the truth."""
    tz = city.registry().tz
    access = city.access(EVERYTHING)
    found = trials(
        access, asked.place, asked_span(asked.start, asked.end, tz),
        shares=asked.shares, level=asked.level, times=asked.times, seed=asked.seed, tz=tz,
    )  # fmt: skip
    rows: list[dict[str, Any]] = [
        {
            "commodity": flow.commodity, "flow": flow.flow, "unit": unit_of(access, flow).code, "meters": one.meters,
            "way": one.way, "hidden": one.share, "trials": one.trials, "inside": one.inside,
            "inside_share": one.inside_share, "refused": one.refused, "mean_width": one.mean_width,
        }
        for flow, one in found
    ]  # fmt: skip
    document = {"place": asked.place, "from": asked.start, "to": asked.end, "level": asked.level, "rows": plain(rows)}
    return Answer(
        TRIAL_COLUMNS,
        rows_of(TRIAL_COLUMNS, rows),
        document_of(document),
        numbers=["meters", *TRIAL_COLUMNS[5:]],
        title=f"{asked.place}: intervals at {asked.level:.0%}, meters hidden at random",
        notes=["hidden: the share of the wholly measured meters; mean_width: of the interval, as a share of the truth"],
    )
