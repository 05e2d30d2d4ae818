"""Reading qualities: what an interval's value is worth, its precedence and its ESPI code outside."""

from dataclasses import dataclass
from functools import cache

from .catalogue import check_keys, read_toml
from .errors import BadInput

ORDERED_FROM = 100
"""An estimate that a person ordered has its method's id and this much more, and stands like an edit: a little less
doubtful than one that nobody looked at."""
ORDERED = "edited_"
"""What the code of such an estimate begins with; its method's code follows."""


@dataclass(frozen=True, slots=True)
class Quality:
    """One quality.

    `kind` is measured, estimated or rejected; `rank` is the precedence of the effective value; `doubt` orders them
    when a period holds several: it shows the most doubtful. An `assigned` value was not derived from the channel's own
    readings but put there by a run over the city: it stands until a measured value takes its place. One that `covers` a
    quality is marked: a run doubts what evidence gives with that quality, and the value stays.
    """

    id: int
    code: str
    rank: int
    kind: str
    espi: int
    doubt: int
    assigned: bool = False
    covers: str = ""


@cache
def qualities() -> dict[str, Quality]:
    """Give the shipped table, by code."""
    table: dict[str, Quality] = {}
    for code, row in read_toml("quintet.terms", "qualities.toml")["quality"].items():
        needed = {"id", "rank", "kind", "espi", "doubt"}
        check_keys(row, required=needed, optional={"note", "assigned", "covers"}, place=f"quality {code}")
        columns = (row["rank"], row["kind"], row["espi"], 2 * row["doubt"])
        how = {"assigned": row.get("assigned", False), "covers": row.get("covers", "")}
        table[code] = Quality(row["id"], code, *columns, **how)
    for one in table.values():
        _check_covered(one, table)
    top = max(quality.rank for quality in table.values())
    for code, one in [item for item in table.items() if item[1].kind == "estimated"]:
        said = (one.id + ORDERED_FROM, ORDERED + code, top, one.kind, one.espi, one.doubt - 1)
        table[ORDERED + code] = Quality(*said)
    return table


def _check_covered(one: Quality, table: dict[str, Quality]) -> None:
    """Refuse a mark over what is none of the table, counts otherwise, or is itself a mark."""
    below = table.get(one.covers)
    if one.covers and (below is None or (below.kind, below.rank, below.covers) != (one.kind, one.rank, "")):
        raise BadInput(f"cannot cover {one.covers!r}.", code="bad_quality", place=f"quality {one.code}")


@cache
def qualities_by_id() -> dict[int, Quality]:
    """Give the shipped table, by the id that interval rows carry."""
    return {quality.id: quality for quality in qualities().values()}
