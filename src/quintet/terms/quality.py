"""Reading qualities: what an interval's value is worth, its precedence and its ESPI code outside."""

from dataclasses import dataclass
from functools import cache

from .catalogue import check_keys, read_toml

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
    readings but put there by a run over the city: it stands until a measured value takes its place.
    """

    id: int
    code: str
    rank: int
    kind: str
    espi: int
    doubt: int
    assigned: bool = False


@cache
def qualities() -> dict[str, Quality]:
    """Give the shipped table, by code."""
    table: dict[str, Quality] = {}
    for code, row in read_toml("quintet.terms", "qualities.toml")["quality"].items():
        needed = {"id", "rank", "kind", "espi", "doubt"}
        check_keys(row, required=needed, optional={"note", "assigned"}, place=f"quality {code}")
        columns = (row["rank"], row["kind"], row["espi"], 2 * row["doubt"])
        table[code] = Quality(row["id"], code, *columns, assigned=row.get("assigned", False))
    top = max(quality.rank for quality in table.values())
    for code, one in [item for item in table.items() if item[1].kind == "estimated"]:
        said = (one.id + ORDERED_FROM, ORDERED + code, top, one.kind, one.espi, one.doubt - 1)
        table[ORDERED + code] = Quality(*said)
    return table


@cache
def qualities_by_id() -> dict[int, Quality]:
    """Give the shipped table, by the id that interval rows carry."""
    return {quality.id: quality for quality in qualities().values()}
