"""What a report rests on: digests of each day's data and of the registry, and the facts that figures are divided by."""

import hashlib
import json
from concurrent.futures import ThreadPoolExecutor
from datetime import date, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from quintet.access import Access, PlaceDays
from quintet.access.flows import Amounts
from quintet.ledger.degree_days import bases, day_means, degrees_of
from quintet.terms.period import Span, day_start, local_day, to_us

from .report_answers import Facts

KINDS = ("city", "place", "plant", "storage", "feeder", "facility", "commodity")
"""Statements that say what a meter counts for; people are not among them."""
AREA = "floor_area_m2"
DAYS_AT_ONCE = 16
"""Days hashed together by one thread."""


def day_digests(days: PlaceDays, first: date, last: date) -> dict[str, str]:
    """Give for each local day, both included, the SHA-256 of what every meter came to and how much of it was known."""
    words = [days.rows[name].to_pylist() for name in days.rows.column_names]
    who = json.dumps(words, ensure_ascii=False, separators=(",", ":")).encode()
    head = hashlib.sha256(who).digest()
    low, high = (first - days.first).days, (last - days.first).days + 1
    with ThreadPoolExecutor() as pool:  # hashing and writing numbers hold no other thread up
        parts = [(at, min(at + DAYS_AT_ONCE, high)) for at in range(low, high, DAYS_AT_ONCE)]
        found = [one for part in pool.map(lambda part: _digests(days, head, *part), parts) for one in part]
    return {(first + timedelta(days=at)).isoformat(): one for at, one in enumerate(found)}


def _digests(days: PlaceDays, head: bytes, low: int, high: int) -> list[str]:
    """Give the digests of some days, day by day laid out in a row first."""
    values, *minutes = (
        np.ascontiguousarray(columns[:, low:high].T)
        for columns in (days.value, days.expected_min, days.arrived_min, days.estimated_min)
    )
    out: list[str] = []
    for at in range(high - low):
        digest = hashlib.sha256(head)
        digest.update(_told(values[at]))
        for column in minutes:
            digest.update(column[at].astype("<i8", copy=False).tobytes())
        out.append(digest.hexdigest())
    return out


def _told(values: Amounts) -> bytes:
    """Write whole numbers with commas between them."""
    if values.dtype == object:
        return ",".join(map(str, values.tolist())).encode()
    words = pa.array(values, pa.int64()).cast(pa.string())
    whole = pa.ListArray.from_arrays(pa.array([0, len(words)], pa.int32()), words)
    return pc.binary_join(whole, ",")[0].as_buffer().to_pybytes()


def data_digest(by_day: dict[str, str]) -> str:
    """Give one digest of all days."""
    return hashlib.sha256("\n".join(f"{day} {one}" for day, one in sorted(by_day.items())).encode()).hexdigest()


def registry_digest(access: Access) -> str:
    """Give the SHA-256 of what the registry says: where each channel counts, and the places, plants and networks."""
    registry = access.registry()
    rows = registry.placements()
    said: dict[str, object] = {name: rows[name].to_pylist() for name in rows.column_names}
    said |= {kind: {key: list(one) for key, one in registry.timelines(kind).items()} for kind in KINDS}
    text = json.dumps(said, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def facts_of(access: Access, place: str, span: Span, known_at: datetime | None, tz: ZoneInfo) -> Facts:
    """Give what a place's figures may be divided by: people and floor as stated, degree days as measured."""
    registry = access.as_known(known_at).registry()
    tree = registry.tree
    said = [body for _, body in registry.timelines("city").get(place, ()) if body is not None]
    residents = said[-1].get("residents") if said else None
    area = tree.bodies[place].get(AREA)
    if area is None:
        inside = [one for one in registry.descendants(place) if tree.bodies[one].get(AREA) is not None]
        own = set(inside)
        # what stands below a place that states its floor is in that floor already
        tops = [one for one in sorted(own) if not any(upper in own for upper in tree.path(one) if upper != one)]
        area = sum(tree.bodies[one][AREA] for one in tops) if tops else None
    degree, days, measured, reason = _degree_days(access, place, span, known_at, tz)
    return Facts(residents, area, bases().heating_c, degree, days, measured, reason)


def _degree_days(
    access: Access, place: str, span: Span, known_at: datetime | None, tz: ZoneInfo
) -> tuple[Decimal | None, int, int, str | None]:
    """Give heating degree days of whole local days, how many days there are and were measured; or why there are none.

    Days without a mean temperature are taken as the mean of the others, where these are nearly all.
    """
    first, after = local_day(span.start, tz), local_day(span.end, tz)
    days = (after - first).days
    edges_us = np.array([to_us(day_start(first + timedelta(days=at), tz)) for at in range(days + 1)], np.int64)
    rows = access.outdoor(place, span, known_at)
    start_us = rows["start"].cast(pa.int64()).to_numpy()
    means = day_means(start_us, rows["minutes"].to_numpy().astype(np.int64), rows["temp_c"].to_numpy(), edges_us)
    found = degrees_of(means)
    if isinstance(found, str):
        return None, days, int((~np.isnan(means)).sum()), found
    return Decimal(str(round(found.heating * days, 3))), days, found.known_days, None
