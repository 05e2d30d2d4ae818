"""Why a total changed between two moments of knowledge, in words and figures that add up."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import cache
from typing import Any

from quintet.access import Access
from quintet.access.differences import Difference, unexplained
from quintet.terms.catalogue import check_keys, read_toml
from quintet.terms.commodity import Commodities
from quintet.terms.errors import UsageError
from quintet.terms.period import day_of_number
from quintet.terms.unit import Unit

from .series import share

LANGUAGES = ("en", "ko")
Key = tuple[str, str, str]
"""A total: flow, commodity, quantity."""


@dataclass(frozen=True, slots=True)
class Told:
    """What is said of a difference: `totals`, their `causes`, and the `days` and `channels` with the largest parts.

    Each is a list of plain rows; amounts are exact, in the unit that the row names.
    """

    totals: list[dict[str, Any]]
    causes: list[dict[str, Any]]
    days: list[dict[str, Any]]
    channels: list[dict[str, Any]]


@cache
def words() -> Mapping[str, Mapping[str, Mapping[str, str]]]:
    """Give the shipped sentences (`data/changes.toml`), by kind and code; each in every language."""
    table = read_toml("quintet.views", "changes.toml")
    check_keys(table, required={"count", "cause", "action", "total", "flow"}, optional=set(), place="changes.toml")
    for kind, rows in table.items():
        for code, row in rows.items():
            check_keys(row, required=set(LANGUAGES), optional=set(), place=f"changes.toml [{kind}.{code}]")
    return table


def told(found: Difference, access: Access, *, lang: str, most: int) -> Told:
    """Tell a difference; `most` bounds the days and channels named. Raises UsageError for an unknown language."""
    if lang not in LANGUAGES:
        raise UsageError(f"there is no language {lang!r}.", code="bad_language", remedy="Known: en, ko.")
    registry = access.registry()
    rows = found.rows.to_pylist()
    names = {number: name for name, number in registry.channel_ids.items()}
    units = Units(registry.commodities)
    return Told(
        _totals(found, rows, units, lang),
        _causes(found, rows, units, lang),
        _largest(rows, units, "day", most, lambda day: day_of_number(day).isoformat()),
        _largest(rows, units, "channel", most, lambda number: names.get(number, str(number))),
    )


class Units:
    """In what unit a quantity of a commodity is shown."""

    def __init__(self, commodities: Commodities) -> None:
        """Look up in a city's table of commodities."""
        self._commodities = commodities

    def of(self, key: Key) -> Unit:
        """Give the unit of a total."""
        return self._commodities[key[1]].display_unit(key[2])

    def name(self, key: Key, lang: str) -> str:
        """Give a commodity's name."""
        row = self._commodities[key[1]]
        return row.name_ko if lang == "ko" else row.name_en


def key_of(row: Mapping[str, Any]) -> Key:
    """Give the total that a row is part of."""
    return row["flow"], row["commodity"], row["quantity"]


def signed(amount: Decimal) -> str:
    """Write an amount with its sign."""
    return f"{amount:+f}"


def plainly(amount: Decimal | None) -> str:
    """Write an amount; nothing for one that was not known."""
    return "" if amount is None else format(amount, "f")


def counted(number: int, lang: str) -> str:
    """Say how many intervals."""
    return words()["count"]["one" if number == 1 else "many"][lang].format(number=f"{number:,}")


def _totals(found: Difference, rows: Sequence[Mapping[str, Any]], units: Units, lang: str) -> list[dict[str, Any]]:
    """Tell of each total how much it changed, and whether the causes add up to that."""
    left = unexplained(found)
    touched = {key_of(row) for row in rows}
    out: list[dict[str, Any]] = []
    for row in found.totals.to_pylist():
        key = key_of(row)
        unit = units.of(key)
        before, after = (None if row[name] is None else unit.to_decimal(int(row[name])) for name in ("before", "after"))
        text = words()["total"][_what_of(before, after, touched=key in touched)][lang]
        facts = {"flow": key[0], "commodity": key[1], "unit": unit.code, "before": before, "after": after}
        change = (after or Decimal(0)) - (before or Decimal(0))
        said = {
            **facts, "flow": words()["flow"][key[0]][lang], "commodity": units.name(key, lang),
            "change": signed(change), "before": plainly(before), "after": plainly(after),
        }  # fmt: skip
        out.append({
            **facts, "change": change, **_known(found, row), "adds_up": key not in left, "text": text.format(**said),
        })  # fmt: skip
    return out


def _what_of(before: Decimal | None, after: Decimal | None, *, touched: bool) -> str:
    """Name the sentence that tells a total."""
    if before is None or after is None:
        return "first" if before is None else "gone"
    return "same" if before == after and not touched else "changed"


def _known(found: Difference, row: Mapping[str, Any]) -> dict[str, float | None]:
    """Give how much of what was due was measured at both moments, and how much of what was known was estimated."""
    out: dict[str, float | None] = {}
    for name, due in zip(("before", "after"), found.due_min, strict=True):
        expected = due.get(key_of(row), 0)
        arrived, estimated = (row[f"{name}_{what}_min"] for what in ("arrived", "estimated"))
        out[f"{name}_coverage"] = share(arrived / expected) if expected else None
        out[f"{name}_estimated_share"] = share(estimated / (arrived + estimated)) if arrived + estimated else None
    return out


def _causes(found: Difference, rows: Sequence[Mapping[str, Any]], units: Units, lang: str) -> list[dict[str, Any]]:
    """Sum the parts of each total by cause, each edit on its own, and say them."""
    sums: dict[tuple[Key, str, int | None], list[int]] = {}
    for row in rows:
        own = sums.setdefault((key_of(row), row["cause"], row["edit"]), [0, 0])
        own[0] += int(row["change"])
        own[1] += row["intervals"]
    order = {code: place for place, code in enumerate(words()["cause"])}
    out: list[dict[str, Any]] = []
    for (key, cause, edit), (change, count) in sorted(
        sums.items(), key=lambda item: (item[0][0], order[item[0][1]], item[0][2] or 0)
    ):
        unit = units.of(key)
        action, by, reason = found.edits.get(edit or 0, ("", "", ""))
        amount = unit.to_decimal(change)
        called = words()["action"][action][lang] if action else ""
        text = words()["cause"][cause][lang].format(
            count=counted(count, lang),
            change=signed(amount),
            unit=unit.code,
            edit=edit,
            action=called,
            by=by,
            reason=reason,
        )
        facts = {"flow": key[0], "commodity": key[1], "unit": unit.code, "cause": cause, "change": amount}
        who = {"edit": edit, "action": action, "by": by, "reason": reason} if edit is not None else {}
        out.append({**facts, "intervals": count, **who, "text": text})
    return out


def _largest(rows: Sequence[Mapping[str, Any]], units: Units, name: str, most: int, said: Any) -> list[dict[str, Any]]:
    """Sum the parts of each total by day or channel; gives the largest, and what the others make together."""
    sums: dict[Key, dict[int, int]] = {}
    for row in rows:
        own = sums.setdefault(key_of(row), {})
        own[row[name]] = own.get(row[name], 0) + int(row["change"])
    out: list[dict[str, Any]] = []
    for key, parts in sorted(sums.items()):
        unit = units.of(key)
        ordered = sorted(parts.items(), key=lambda item: (-abs(item[1]), item[0]))
        kept = sorted(ordered[:most]) if name == "day" else ordered[:most]
        facts = {"flow": key[0], "commodity": key[1], "unit": unit.code}
        out += [{**facts, name: said(number), "change": unit.to_decimal(change)} for number, change in kept]
        if rest := ordered[most:]:
            others = sum(change for _, change in rest)
            out.append({**facts, name: None, "others": len(rest), "change": unit.to_decimal(others)})
    return out
