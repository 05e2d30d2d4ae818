"""The operation that answers with a channel's intervals."""

from typing import Any

from quintet.access import EVERYTHING
from quintet.terms.period import Resolution, from_us
from quintet.terms.quality import qualities_by_id

from .answer import Answer, Progress, document_of
from .asked_time import asked_moment, asked_span
from .cells import local, plain, rows_of
from .city import City
from .requests import Intervals

INTERVAL_COLUMNS = ["start", "value", "unit", "quality", "coverage", "estimated_share"]


def intervals(city: City, asked: Intervals, _progress: Progress) -> Answer:
    """Give one channel's series: exact decimals in the display unit, empty where nothing is known."""
    registry = city.registry()
    span = asked_span(asked.start, asked.end, registry.tz)
    channel = registry.channel_by_name(asked.channel)
    unit = registry.commodities[channel.reading.commodity].display_unit(channel.quantity)
    known_at = asked_moment(asked.known_at, registry.tz)
    moment = known_at or from_us(city.now())
    series = city.access(EVERYTHING).series(asked.channel, span, Resolution(asked.resolution), known_at)
    words = {code: quality.code for code, quality in qualities_by_id().items()}
    columns = (series[name].to_pylist() for name in ("start", "value", "quality", "coverage", "estimated_share"))
    rows: list[dict[str, Any]] = [
        {
            "start": local(start, registry.tz),
            "value": None if value is None else unit.to_decimal(int(value)),
            "unit": unit.code,
            "quality": None if quality is None else words[quality],
            "coverage": coverage,
            "estimated_share": estimated,
        }
        for start, value, quality, coverage, estimated in zip(*columns, strict=True)
    ]
    document = {
        "channel": asked.channel,
        "unit": unit.code,
        "known_at": local(moment, registry.tz),
        "rule_set": city.rule_set,
        "rows": plain(rows),
    }
    return Answer(
        INTERVAL_COLUMNS,
        rows_of(INTERVAL_COLUMNS, rows),
        document_of(document),
        numbers=["value", "coverage", "estimated_share"],
        title=f"{asked.channel} by {asked.resolution}",
    )
