"""The kinds of exceptions and what an amount is worth: data, with source and date; nothing half-described loads."""

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from functools import cache
from typing import Any

from quintet.terms.catalogue import check_keys, read_toml
from quintet.terms.errors import BadInput
from quintet.terms.unit import units
from quintet.vee.sourced import check_source

NOW, KEPT, HEARD = "now", "kept", "heard"
FLAGS = ("by_channel", "by_event", "of_values")
FILE = "exceptions.toml"
NOTED = frozenset({"supply_outage", "comms_outage"})
"""Findings that say what was: nothing is to be done about them."""


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of exception: the findings it takes (no rules: all that nobody else takes), and what to do.

    Findings of rules that it `absorbs` are told inside its items where their spans touch: one cause is one item. With
    `by_channel` all that its rules find in a channel is one item, with `by_event` all that speaks of one event; else
    each rule's is. What is `of_values` is settled where a person edited all of its span.
    """

    code: str
    rules: frozenset[str]
    verdicts: frozenset[str]
    last: str
    group: bool
    name_en: str
    name_ko: str
    action_en: str
    action_ko: str
    group_en: str
    group_ko: str
    explained_by: frozenset[str]
    absorbs: frozenset[str]
    by_channel: bool
    by_event: bool
    of_values: bool

    def takes(self, rule: str, verdict: str) -> bool:
        """Tell whether a finding is of this kind by name."""
        return rule in self.rules and (not self.verdicts or verdict in self.verdicts)


@dataclass(frozen=True)
class Kinds:
    """All kinds by code, won per sub-unit by commodity, and how findings are grouped and items ranked."""

    kinds: Mapping[str, Kind]
    won: Mapping[str, Fraction]
    group_channels: int
    group_share: Fraction
    onset_us: int
    age_days: int
    unusable_days: int
    unusable_share: Fraction

    def of(self, rule: str, verdict: str) -> Kind | None:
        """Give the kind of a finding; None where it is no exception."""
        for kind in self.kinds.values():
            if kind.takes(rule, verdict):
                return kind
        if rule in NOTED or any(rule in kind.rules for kind in self.kinds.values()):
            return None
        return next((kind for kind in self.kinds.values() if not kind.rules), None)


def kinds_from(table: Mapping[str, Any]) -> Kinds:
    """Load the table; an unknown key, a price without source or unit, or a group without words is refused."""
    check_keys(dict(table), required={"price", "group", "rank", "unusable", "kind"}, optional=set(), place="exceptions")
    group, rank = table["group"], table["rank"]
    needed = {"channels", "share", "onset_minutes", "source", "date"}
    check_keys(group, required=needed, optional=set(), place="exceptions, group")
    check_keys(rank, required={"age_days", "source", "date"}, optional=set(), place="exceptions, rank")
    unusable = table["unusable"]
    check_keys(unusable, required={"days", "share", "source", "date"}, optional=set(), place="exceptions, unusable")
    for row, place in ((group, "group"), (rank, "rank"), (unusable, "unusable")):
        check_source(row, f"exceptions, {place}")
    return Kinds(
        {code: _kind(code, row) for code, row in table["kind"].items()},
        {name: _price(name, row) for name, row in table["price"].items()},
        group["channels"],
        Fraction(group["share"]),
        group["onset_minutes"] * 60_000_000,
        rank["age_days"],
        unusable["days"],
        Fraction(unusable["share"]),
    )


def _price(name: str, row: Mapping[str, Any]) -> Fraction:
    place = f"exceptions, price {name}"
    check_keys(dict(row), required={"won", "unit", "source", "date"}, optional=set(), place=place)
    check_source(row, place)
    unit = units()[row["unit"]]
    if unit.rate:
        raise BadInput("is no price of an amount.", code="bad_price", place=place)
    return Fraction(row["won"]) / unit.ratio


def _kind(code: str, row: Mapping[str, Any]) -> Kind:
    place = f"exceptions, kind {code}"
    words = {"name_en", "name_ko", "action_en", "action_ko"}
    more = {"rules", "verdicts", "explained_by", "absorbs", "group", "group_en", "group_ko", *FLAGS}
    check_keys(dict(row), required={"last", *words}, optional=more, place=place)
    grouped = row.get("group", False)
    if row["last"] not in (NOW, KEPT, HEARD) or (grouped and not {"group_en", "group_ko"} <= row.keys()):
        raise BadInput("needs last = now, kept or heard, and words for a group.", code="bad_kind", place=place)
    return Kind(
        code,
        frozenset(row.get("rules", ())),
        frozenset(row.get("verdicts", ())),
        row["last"],
        grouped,
        row["name_en"],
        row["name_ko"],
        row["action_en"],
        row["action_ko"],
        row.get("group_en", row["action_en"]),
        row.get("group_ko", row["action_ko"]),
        frozenset(row.get("explained_by", ())),
        frozenset(row.get("absorbs", ())),
        row.get("by_channel", False),
        row.get("by_event", False),
        row.get("of_values", False),
    )


@cache
def kinds() -> Kinds:
    """Give the kinds that ship with the package."""
    return kinds_from(read_toml("quintet.vee", FILE))
