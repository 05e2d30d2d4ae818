"""A dwelling's own data as a Green Button feed: views hand it to the codec, under names that say nothing."""

import uuid
from collections.abc import Iterator, Sequence
from pathlib import Path
from zoneinfo import ZoneInfo

from quintet.protocols.espi_codes import codes
from quintet.protocols.espi_write import Sender, Series, Value, green_button
from quintet.terms.commodity import commodities
from quintet.terms.length import MINUTE_US
from quintet.terms.period import from_us, grid_phase, to_us
from quintet.terms.reading import Role
from quintet.terms.unit import units
from quintet.views.own_data import OwnChannel, OwnFeed

from .belongings import FEED_ID, made_once
from .city import City

NEVER = "always"


def written(city: City, feed: OwnFeed) -> Iterator[bytes]:
    """Write a feed piece by piece; channels of quantities that ESPI has no code for are left out.

    Who lives in a dwelling later gets other names than who lived there before.
    """
    since = NEVER if feed.since is None else feed.since.isoformat()
    sender = Sender(namespace(city.folder), f"{feed.place}\x1f{since}", city.engine.tz, from_us(city.now()))
    return green_button(sender, [_series(one, city.engine.tz) for one in told(feed.channels)])


def told(channels: Sequence[OwnChannel]) -> list[OwnChannel]:
    """Give the channels that ESPI has codes for."""
    table = codes()
    return [
        one
        for one in channels
        if one.meter.commodity in table.services
        and (quantity := units()[one.meter.display_unit].quantity) in table.written
        and quantity in commodities()[one.meter.commodity].espi
    ]


def namespace(folder: Path) -> uuid.UUID:
    """Give the secret namespace of a city's feeds, made when it is first needed."""
    return uuid.UUID(made_once(folder / FEED_ID, str(uuid.uuid4())))


def _series(one: OwnChannel, tz: ZoneInfo) -> Series:
    quantity = units()[one.meter.display_unit].quantity
    length_s = one.length_min * 60
    return Series(one.meter.channel, one.meter.commodity, quantity, Role(one.meter.role), length_s, _values(one, tz))


def _values(one: OwnChannel, tz: ZoneInfo) -> Iterator[Value]:
    """Give the intervals of which something is known, whole numbers of sub-units.

    A day is told as it is kept: 24 hours by the clock without its summer time, so that a city of that clock takes it in
    as it is. By the hour at which the local day begins it would be laid over two.
    """
    places = units()[one.meter.display_unit].decimals
    length_us = one.length_min * MINUTE_US
    phase_us = grid_phase(tz, length_us)
    for row in one.rows:
        if row.value is not None and row.quality is not None:
            start_us = to_us(row.start)
            start_us += -(start_us + phase_us) % length_us
            yield Value(start_us // 1_000_000, one.length_min * 60, int(row.value.scaleb(places)), row.quality)
