"""Factor sets: all that turns amounts into emissions, as one named and hashed thing that a published figure can pin.

A set is made from plain content (the data rows themselves), so that what is stored with a publication gives the same
set again, whatever ships by then.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cache
from typing import Any

from quintet.terms.catalogue import check_keys, read_toml
from quintet.terms.errors import BadInput

from .calorific import Calorific, parse_calorific, to_factor_unit
from .counting import COUNTED_AT, PLANT
from .factors import Factors, Gwp, gwp_set, parse_gwp
from .stated import Contract, HourFactors, Supply, parse_contracts, parse_series, parse_supplies

Content = dict[str, Any]
PARTS = ("calorific", "factor", "source", "gwp", "supply", "contract", "hourly", "choice")
"""The parts of a set, in the order in which a difference between two sets is explained."""
CHOICES = {"count_at", "gwp"}
GWP = "AR5"


@dataclass(frozen=True)
class FactorSet:
    """A set under a name: what it holds, and the digest of its content."""

    name: str
    digest: str
    content: Content
    table: Factors
    calorific: list[Calorific]
    gwps: Mapping[str, Gwp]
    supplies: tuple[Supply, ...]
    contracts: tuple[Contract, ...]
    hourly: tuple[HourFactors, ...]
    count_at: str
    gwp: str

    def weights(self, name: str | None = None) -> Gwp:
        """Give the warming potentials that are named, or the set's own."""
        return gwp_set(name or self.gwp, self.gwps)

    def supplied(self) -> dict[str, list[tuple[date, str]]]:
        """Give from which day on which factor is of what is bought, by commodity."""
        out: dict[str, list[tuple[date, str]]] = {}
        for one in self.supplies:
            out.setdefault(one.commodity, []).append((one.since, one.factor))
        return out

    def cuts(self) -> list[date]:
        """Give the days on which what counts changes; before its first value a fuel is counted by that one too."""
        first = {one.commodity: one.id for one in reversed(self.calorific)}
        later = {one.valid_from for one in self.calorific if first[one.commodity] != one.id}
        return sorted({one.since for one in self.supplies} | later)


def shipped_content() -> Content:
    """Give the content of the set that ships."""
    table = read_toml("quintet.ledger", "factors.toml")
    return {
        "calorific": read_toml("quintet.ledger", "calorific.toml")["calorific"],
        "factor": table["factor"],
        "source": table["source"],
        "gwp": read_toml("quintet.ledger", "gwp.toml")["gwp"],
        "supply": {},
        "contract": {},
        "hourly": {},
        "choice": {},
    }


def overlaid(content: Content, own: Mapping[str, Any]) -> Content:
    """Give a content with further rows added or replaced, part by part; raises BadInput for an unknown part."""
    check_keys(dict(own), required=set(), optional=set(PARTS), place="factor set")
    return {part: {**content[part], **own.get(part, {})} for part in PARTS}


def digest_of(content: Content) -> str:
    """Give the digest of a content, whatever the order of its rows."""
    text = json.dumps(content, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return f"fs-{hashlib.sha256(text.encode()).hexdigest()[:16]}"


def set_of(name: str, content: Content) -> FactorSet:
    """Build a set; raises BadInput for a row that does not load, or that names a factor which is none."""
    check_keys(dict(content), required=set(PARTS), optional=set(), place=f"factor set {name}")
    choice = content["choice"]
    check_keys(dict(choice), required=set(), optional=CHOICES, place="choice")
    table = Factors({"factor": content["factor"], "source": content["source"]})
    supplies = tuple(parse_supplies(content["supply"].values()))
    contracts = tuple(parse_contracts(content["contract"].values()))
    for place, commodity, factor in (
        *((f"supply {one.commodity}", one.commodity, one.factor) for one in supplies),
        *((f"contract {one.id}", one.commodity, one.factor) for one in contracts),
    ):
        if factor not in table.rows or table.rows[factor].commodity != commodity:
            raise BadInput(f"names {factor}, which is no factor of {commodity}.", code="bad_row", place=place)
    if choice.get("count_at", PLANT) not in COUNTED_AT:
        raise BadInput(f"count_at is one of {', '.join(COUNTED_AT)}.", code="bad_row", place="choice")
    gwps = parse_gwp({"gwp": content["gwp"]})
    calorific = parse_calorific({"calorific": content["calorific"]})
    _refuse_uncounted(contracts, table, calorific)
    return FactorSet(
        name, digest_of(content), content, table, calorific, gwps, supplies,
        contracts, tuple(parse_series(content["hourly"].values())), choice.get("count_at", PLANT),
        gwp_set(choice.get("gwp", GWP), gwps).id,
    )  # fmt: skip


def _refuse_uncounted(contracts: Sequence[Contract], table: Factors, calorific: list[Calorific]) -> None:
    """Refuse a contract whose factor is per something that its amount is not: it would claim energy at no emission."""
    for one in contracts:
        factor = table.rows[one.factor]
        if to_factor_unit(one.quantity, factor, one.start, calorific) is None:
            raise BadInput(
                f"is an amount of {one.quantity}, and its factor {factor.id} is per {factor.unit}.",
                code="bad_row",
                place=f"contract {one.id}",
                remedy="State the amount, or a factor, in a unit of the same quantity.",
            )


@cache
def shipped_set() -> FactorSet:
    """Give the set that ships, under the name `shipped`."""
    return set_of("shipped", shipped_content())
