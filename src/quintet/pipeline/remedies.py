"""What a person can do about a quarantined row, by the reason's code: data, unknown keys refused."""

from dataclasses import dataclass
from functools import cache

from quintet.terms.catalogue import check_keys, read_toml


@dataclass(frozen=True, slots=True)
class Remedy:
    """What to do, and whether trying again can help once it is done."""

    remedy: str
    again: bool


OTHER = Remedy("Mend what the reason names and send it again.", again=True)
"""For codes that a door brings of its own: the reason says what is wrong."""


def remedy_for(code: str) -> Remedy:
    """Give what can be done about rows with a code."""
    return remedies().get(code, OTHER)


@cache
def remedies() -> dict[str, Remedy]:
    """Read `data/quarantine.toml`."""
    table = read_toml("quintet.pipeline", "quarantine.toml")
    check_keys(table, required={"code"}, optional=set(), place="quarantine.toml")
    for name, row in table["code"].items():
        check_keys(row, required={"remedy", "again"}, optional=set(), place=f"quarantine.toml [code.{name}]")
    return {name: Remedy(str(row["remedy"]), bool(row["again"])) for name, row in table["code"].items()}
