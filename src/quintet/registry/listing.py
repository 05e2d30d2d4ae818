"""A meters table understood: each row's channel name and the body it asks for, or why it cannot be taken."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from quintet.store.records import ALWAYS, FOREVER
from quintet.terms.errors import QuintetError
from quintet.terms.period import parse_moment, to_us

from .layout import Fault, Mapped, MeterRow
from .meaning import Meanings
from .naming import name_rows
from .placing import place_of
from .snapshot import Registry
from .timeline import Body, last_body

LASTING = ("dials", "plate_max", "installed_us", "removed_us", "replaces")
"""Optional keys: what was listed once stays until something else is."""


@dataclass(slots=True)
class Listing:
    """A meters table understood: rows by channel name, each with the body it asks for.

    `districts` are the virtual cities of mapped sites; `problems` are the rows with a fault.
    """

    rows: dict[str, MeterRow] = field(default_factory=dict[str, MeterRow])
    bodies: dict[str, Body] = field(default_factory=dict[str, Body])
    districts: dict[str, str] = field(default_factory=dict[str, str])
    problems: list[tuple[MeterRow, Fault]] = field(default_factory=list[tuple[MeterRow, Fault]])


def understand(registry: Registry, rows: Sequence[MeterRow], mapped: dict[tuple[str, str], Mapped] | None) -> Listing:
    """Read rows against the city's tables: bodies of channels by name, and the rows that have a fault."""
    channels = registry.timelines("channel")
    out = Listing()
    if mapped is not None:
        rows = [row for row in rows if (row.site, row.meter) in mapped]

    def known(name: str) -> Body | None:
        return last_body(channels[name]) if name in channels else None

    named, out.problems = name_rows(rows, known)
    reader = _Reader(registry)
    meters = registry.timelines("meter")
    for name, stated in named:
        key = f"{stated.site}/{stated.meter}"
        row = _in_its_premise(stated, last_body(meters[key])) if key in meters else stated
        body = reader.read(row)
        if isinstance(body, Fault):
            out.problems.append((row, body))
            continue
        if name in channels:
            _keep(body, known(name), row, mapped)
        if body.get("removed_us", FOREVER) <= body.get("installed_us", ALWAYS):
            out.problems.append((row, Fault("empty_range", "is removed before it is installed. Mend one of the two.")))
            continue
        entry = mapped.get((row.site or "", row.meter or "")) if mapped is not None else None
        if entry is not None and entry.shift_days:
            body["shift_days"] = entry.shift_days
        if entry is not None and row.site:
            out.districts[row.site] = entry.virtual_city
        out.rows[name], out.bodies[name] = row, body
    _settle_exchanges(registry, out)
    return out


def _in_its_premise(row: MeterRow, known: Body | None) -> MeterRow:
    """Give a row that names no premise the one it was listed in before, as long as it names the same building."""
    if row.premise is not None or known is None or "premise" not in known or known.get("building") != row.building:
        return row
    return row._replace(premise=known["premise"], dwelling=False)


def _keep(body: Body, last: Body | None, row: MeterRow, mapped: object) -> None:
    """Keep what was listed once of a channel and what its row now says nothing of."""
    if last is None:
        return
    if row.stated.multiplier is None:
        body["multiplier"] = last["multiplier"]
    if mapped is None and "shift_days" in last:
        body["shift_days"] = last["shift_days"]
    for key in LASTING:
        if key in last and key not in body:
            body[key] = last[key]


class _Reader:
    """Reads rows into what they ask of a channel's body; dates are local days of the city."""

    def __init__(self, registry: Registry) -> None:
        self._meanings = Meanings(registry.commodities)
        self._tz = registry.tz
        self._moments: dict[str, int | Fault] = {}

    def read(self, row: MeterRow) -> Body | Fault:
        """Give a body without the registry's own keys, or the row's first fault."""
        meaning = self._meanings.read(row.stated)
        if isinstance(meaning, Fault):
            return meaning
        body: Body = {
            "site": row.site,
            "meter": row.meter,
            **meaning,
            "listed_place": place_of(row, meaning["role"]),
        }
        for key, stated in (("installed_us", row.installed), ("removed_us", row.removed)):
            if stated is not None:
                moment = self._moment(stated)
                if isinstance(moment, Fault):
                    return moment
                body[key] = moment
        if row.replaces is not None:
            body["replaces"] = row.replaces
        return body

    def _moment(self, stated: int | str) -> int | Fault:
        if isinstance(stated, int):
            return stated
        if stated not in self._moments:
            try:
                self._moments[stated] = to_us(parse_moment(stated, self._tz))
            except QuintetError as error:
                self._moments[stated] = Fault(error.code, f"{error.message} {error.remedy}")
        return self._moments[stated]


def _settle_exchanges(registry: Registry, listing: Listing) -> None:
    """Replace `replaces` by the name of the channel that is meant; what cannot be found or dated is a problem.

    A row that falls out may be what another replaces: this goes on until none falls out.
    """
    known = registry.timelines("channel")
    before = -1
    while before != len(listing.bodies):
        before = len(listing.bodies)
        waiting = [name for name, body in listing.bodies.items() if "replaces" in body]
        faults: dict[str, Fault] = {}
        for name in waiting:
            body = listing.bodies[name]
            there = {key: last_body(known[key]) for key in _candidates(body) if key in known}
            old = replaced_name(body, listing.bodies, there)
            fault = _exchange_fault(name, old, body)
            if fault is None:
                body["replaces"] = old
            else:
                faults[name] = fault
        circle = Fault("exchange_circle", "replaces itself, through the meters it names. Mend the column replaces.")
        faults |= {name: circle for name in waiting if name not in faults and _in_circle(name, listing.bodies)}
        for name, fault in faults.items():
            listing.problems.append((listing.rows.pop(name), fault))
            del listing.bodies[name]


def _in_circle(name: str, bodies: dict[str, Body]) -> bool:
    """Say whether following `replaces` from a channel never ends."""
    seen: set[str] = set()
    while name not in seen:
        seen.add(name)
        body = bodies.get(name)
        if body is None or "replaces" not in body:
            return False
        name = body["replaces"]
    return True


def _exchange_fault(name: str, old: str | None, body: Body) -> Fault | None:
    if old is None or old == name:
        return Fault(
            "unknown_replaces",
            f"replaces {body['replaces']}, and no registered channel of that name has its commodity. "
            "Name the old meter, or mend its row first.",
        )
    if "installed_us" not in body:
        return Fault("exchange_without_date", f"replaces {old}, but states no moment. Fill installed.")
    return None


def _candidates(body: Body) -> tuple[str, ...]:
    stated = body["replaces"]
    short = f"{body['site']}/{stated}"
    return (stated, short, f"{stated}:{body['word']}", f"{short}:{body['word']}")


def replaced_name(body: Body, listed: dict[str, Body], known: dict[str, Body | None]) -> str | None:
    """Find the channel that a meter replaces: METER of its site or SITE/METER, of the same commodity and quantity."""
    for name in _candidates(body):
        other = listed.get(name) or known.get(name)
        if other is not None and (other["commodity"], other["quantity"]) == (body["commodity"], body["quantity"]):
            return name
    return None
