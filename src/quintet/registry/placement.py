"""Which channel counts where, as which flow, from when until when: the PLACEMENTS table.

A row stands once per channel and flow, at the lowest place where it counts. Where a channel belongs to a plant or a
storage, that says the flow and the place (a place that the city does not have says nothing: the meter then counts where
it stands); otherwise its role does. Each row holds over the intersection of the channel's own
stretch (installed, removed, wired), its usage point's place and the plant or storage.
"""

from collections.abc import Iterable, Iterator, Mapping
from itertools import pairwise
from typing import NamedTuple

import pyarrow as pa

from quintet.terms.commodity import Commodities
from quintet.terms.reading import Role
from quintet.terms.tables import PLACEMENTS

from .timeline import Body, Segment, Timelines, clip, segments
from .tree import Tree

FLOW_OF_ROLE: Mapping[str, str] = {
    Role.CONSUMPTION: "consumption",
    Role.GENERATION: "local_generation",
    Role.IMPORT: "import",
    Role.EXPORT: "export",
    Role.SITE_IMPORT: "import",
    Role.STORAGE: "storage",
    Role.NET: "consumption",
}
"""What a role counts as where no plant or storage says otherwise; a role that is absent counts nowhere."""
CHARGES = frozenset({Role.CONSUMPTION, Role.IMPORT, Role.NET})
"""Roles that, on a storage's own meter, mean energy going in: the flow `storage` counts discharge as positive."""
BEHIND_NET = frozenset({"local_generation", "conversion_out", "storage"})
"""What a net meter at the same place has already taken off, and which therefore is consumption there as well."""

NEVER_US = 1
"""What ended before it began is kept as a stretch of one microsecond (`timeline.ended`); it counts nowhere."""


class Part(NamedTuple):
    """One way of counting a channel for a while."""

    start_us: int
    end_us: int
    place: str
    flow: str
    sign: int
    renewable: bool


Net = tuple[str, str, str]
"""Where a net meter is: place, commodity and quantity."""
Row = tuple[int, str, str, str, int, str, str, bool, int, int, int]


def placements_table(things: Mapping[str, Timelines], commodities: Commodities, tree: Tree) -> pa.Table:
    """Give PLACEMENTS in order of channel, start and flow."""
    points = things.get("usage_point", {})
    assets = _assets(things, tree)
    balanced = {code for code, row in commodities.rows.items() if row.balanced}
    spans = [
        (name, span, place)
        for name, said in things.get("channel", {}).items()
        for span in segments(said)
        if span.body["commodity"] in balanced and span.end_us - span.start_us > NEVER_US
        for span, place in _wired(span, points)
    ]
    nets: dict[Net, list[tuple[int, int]]] = {}
    for _, span, place in spans:
        if span.body["role"] == Role.NET:
            key = (place, span.body["commodity"], span.body["quantity"])
            nets.setdefault(key, []).append((span.start_us, span.end_us))
    rows: list[Row] = []
    for name, span, place in spans:
        body = span.body
        behind = nets.get((place, body["commodity"], body["quantity"]), [])
        if name in assets or behind:
            parts: Iterable[Part] = _joined(_pieces(span, place, assets.get(name, []), behind, tree))
        else:
            parts = _by_role(span, place, tree)
        rows += [_row(span.body, part) for part in parts]
    rows.sort(key=lambda row: (row[0], row[9], row[3]))
    columns = list(zip(*rows, strict=True)) if rows else [()] * len(PLACEMENTS)
    arrays = [pa.array(column, field.type) for column, field in zip(columns, PLACEMENTS, strict=True)]
    return pa.Table.from_arrays(arrays, schema=PLACEMENTS)


def _row(body: Body, part: Part) -> Row:
    return (
        body["id"], part.place, body["usage_point"], part.flow, part.sign, body["commodity"], body["quantity"],
        part.renewable, body["cadence_min"], part.start_us, part.end_us,
    )  # fmt: skip


def _wired(span: Segment, points: Timelines) -> Iterator[tuple[Segment, str]]:
    """Cut a channel's stretch where its usage point moves."""
    said = points.get(span.body["usage_point"], ())
    if len(said) == 1:
        start, body = said[0]
        if body is not None and start <= span.start_us:
            yield span, body["place"]
            return
    for part in clip(segments(said), span.start_us, span.end_us):
        yield Segment(part.start_us, part.end_us, span.body), part.body["place"]


def _by_role(span: Segment, place: str, tree: Tree) -> list[Part]:
    """Count a channel as its role says."""
    role = span.body["role"]
    flow = FLOW_OF_ROLE.get(role)
    if flow is None:
        return []
    if role == Role.SITE_IMPORT:
        site = span.body["site"]
        place = site if site in tree.path(place) else tree.nearest(place, "complex")
    renewable = role == Role.GENERATION and span.body.get("renewable", False)
    return [Part(span.start_us, span.end_us, place, flow, 1, renewable)]


def _pieces(span: Segment, place: str, assets: list[Part], nets: list[tuple[int, int]], tree: Tree) -> Iterator[Part]:
    """Count a channel piece by piece between the moments at which a plant, a storage or a net meter comes or goes."""
    bounds = {part.start_us for part in assets} | {part.end_us for part in assets} | {us for net in nets for us in net}
    cuts = sorted({span.start_us, span.end_us} | {us for us in bounds if span.start_us < us < span.end_us})
    for start, end in pairwise(cuts):
        here = _active(span, place, assets, start, end) or _by_role(Segment(start, end, span.body), place, tree)
        yield from here
        if any(begin <= start < finish for begin, finish in nets):
            taken = next((part for part in here if part.flow in BEHIND_NET), None)
            if taken is not None:
                yield Part(start, end, place, "consumption", taken.sign, False)


def _active(span: Segment, place: str, assets: list[Part], start: int, end: int) -> list[Part]:
    """Give what plants and storages make of a channel at a place in a piece, each flow once."""
    found: dict[str, Part] = {}
    for part in assets:
        if part.start_us <= start < part.end_us and part.flow not in found:
            sign = -1 if part.flow == "storage" and span.body["role"] in CHARGES else 1
            found[part.flow] = Part(start, end, part.place or place, part.flow, sign, part.renewable)
    return list(found.values())


def _joined(parts: Iterable[Part]) -> list[Part]:
    """Join pieces that follow each other and count alike."""
    latest: dict[tuple[str, str, int, bool], list[Part]] = {}
    for part in parts:
        alike = latest.setdefault((part.place, part.flow, part.sign, part.renewable), [])
        if alike and alike[-1].end_us == part.start_us:
            alike[-1] = alike[-1]._replace(end_us=part.end_us)
        else:
            alike.append(part)
    return [part for alike in latest.values() for part in alike]


def _assets(things: Mapping[str, Timelines], tree: Tree) -> dict[str, list[Part]]:
    """Give by channel name what plants and storages make of it; plants in order of id before storages.

    The place is "" where the city does not have the one that is stated.
    """
    out: dict[str, list[Part]] = {}

    def count(span: Segment, names: Iterable[str], flow: str, *, renewable: bool = False) -> None:
        place = span.body["place"] if span.body["place"] in tree.bodies else ""
        for name in names:
            out.setdefault(name, []).append(Part(span.start_us, span.end_us, place, flow, 1, renewable))

    for _, said in sorted(things.get("plant", {}).items()):
        for span in segments(said):
            body = span.body
            count(span, body["inputs"], "conversion_in")
            made = "conversion_out" if body["inputs"] else "local_generation"
            count(span, body["outputs"], made, renewable=body["renewable"])
    for _, said in sorted(things.get("storage", {}).items()):
        for span in segments(said):
            count(span, span.body["channels"], "storage")
    return out
