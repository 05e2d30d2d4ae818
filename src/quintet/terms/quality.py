"""Reading qualities: what an interval's value is worth, its precedence and its ESPI code outside."""

from dataclasses import dataclass
from functools import cache

from .catalogue import check_keys, read_toml


@dataclass(frozen=True, slots=True)
class Quality:
    """One quality.

    `kind` is measured, estimated or rejected; `rank` is the precedence of the effective value; `doubt` orders them
    when a period holds several: it shows the most doubtful.
    """

    id: int
    code: str
    rank: int
    kind: str
    espi: int
    doubt: int


@cache
def qualities() -> dict[str, Quality]:
    """Give the shipped table, by code."""
    table: dict[str, Quality] = {}
    for code, row in read_toml("quintet.terms", "qualities.toml")["quality"].items():
        check_keys(row, required={"id", "rank", "kind", "espi", "doubt"}, optional={"note"}, place=f"quality {code}")
        table[code] = Quality(row["id"], code, row["rank"], row["kind"], row["espi"], row["doubt"])
    return table


@cache
def qualities_by_id() -> dict[int, Quality]:
    """Give the shipped table, by the id that interval rows carry."""
    return {quality.id: quality for quality in qualities().values()}
