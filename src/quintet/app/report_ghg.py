"""The pages of a report on greenhouse gases: sums by scope, sources with their factors, the table of the GPC."""

from decimal import Decimal
from typing import Any

from .report_blocks import Block, chart, column, heading, sentence, table
from .report_text import amount_text, carrier_text
from .report_words import COLOURS, words_of

Figures = dict[str, Any]
SAME = ("scope", "source_id", "commodity", "unit", "factor", "published_on", "source", "reason", "notation")
"""What rows of one source have in common over the months."""


def emission_blocks(figures: Figures, lang: str) -> list[Block]:
    """Lay out the sums by scope and the sources."""
    words, found = words_of(lang), figures["emissions"]
    chosen = found["factor_set"]
    lead = words["emissions_lead"].format(set=chosen["name"], digest=chosen["digest"], gwp=found["gwp"])
    groups = [
        (f"Scope {one['scope']}", [Decimal(one["kg_co2e"] or 0)], amount_text(one["kg_co2e"]))
        for one in found["scopes"]
    ]
    told = " ".join(f"{name}: {said}." for name, _, said in groups)
    columns = [column(words["scope"])]
    columns += [column(words[one], number=True) for one in ("location", "market", "sources", "without")]
    rows = [
        [
            str(one["scope"]), amount_text(one["kg_co2e"]), amount_text(one["market_kg_co2e"]), str(one["rows"]),
            str(one["without_number"]),
        ]
        for one in found["scopes"]
    ]  # fmt: skip
    return [
        heading(words["emissions"]), sentence(lead),
        chart(words["chart_emissions"], f"{words['chart_emissions']}. {told}", COLOURS["other"], groups),
        table(columns, rows), heading(words["by_source"], 2), _sources(found["rows"], lang),
        heading(words["market_rows"], 2), _market(found["market"], lang),
    ]  # fmt: skip


def summed_sources(rows: list[Figures]) -> list[Figures]:
    """Sum rows of one source and factor over the months; unknown where one month is."""
    groups: dict[tuple[Any, ...], list[Figures]] = {}
    for row in rows:
        groups.setdefault(tuple(row[name] for name in SAME), []).append(row)
    out: list[Figures] = []
    for key, parts in groups.items():
        sums = {
            name: None if any(one[name] is None for one in parts) else sum(Decimal(one[name]) for one in parts)
            for name in ("amount", "kg_co2e")
        }
        out.append({**dict(zip(SAME, key, strict=True)), **sums})
    return out


def _sources(rows: list[Figures], lang: str) -> Block:
    words = words_of(lang)
    columns = [column(words["scope"]), column(words["source_id"]), column(words["carrier"])]
    columns += [column(words["amount"], number=True), column(words["unit"]), column(words["kg"], number=True)]
    columns += [column(words["factor"]), column(words["published"]), column(words["origin"], wide=True)]
    cells = [
        [
            str(one["scope"]), one["source_id"], carrier_text(one["commodity"], lang), amount_text(one["amount"]),
            one["unit"], amount_text(one["kg_co2e"]), one["factor"] or "", one["published_on"] or "",
            one["source"] or " ".join(part for part in (one["notation"], one["reason"]) if part),
        ]
        for one in summed_sources(rows)
    ]  # fmt: skip
    return table(columns, cells)


def _market(rows: list[Figures], lang: str) -> Block:
    words = words_of(lang)
    columns = [column(words["month"]), column(words["carrier"]), column(words["amount"], number=True)]
    columns += [column(words["unit"]), column(words["covered"], number=True), column(words["rest_by"])]
    columns += [column(words["kg"], number=True), column(words["reason"], wide=True)]
    cells = [
        [
            one["start"][:10], carrier_text(one["commodity"], lang), amount_text(one["amount"]), one["unit"],
            amount_text(one["covered"]), one["rest_by"], amount_text(one["kg_co2e"]), one["reason"] or "",
        ]
        for one in rows
    ]  # fmt: skip
    return table(columns, cells)


def gpc_blocks(figures: Figures, lang: str) -> list[Block]:
    """Lay out the table of the GPC."""
    words, found = words_of(lang), figures["gpc"]
    columns = [column(words["sub_sector"]), column(words["name"], wide=True), column(words["scope"])]
    columns += [column(words["kg"], number=True), column(words["notation"]), column(words["quality"])]
    columns.append(column(words["reason"], wide=True))
    cells = [
        [
            one["sub_sector"], one[f"name_{lang}"], str(one["scope"]), amount_text(one["kg_co2e"]),
            one["notation"] or "", one["quality"] or "", one["reason"] or "",
        ]
        for one in found["cells"]
    ]  # fmt: skip
    sums = [("BASIC", "basic_kg_co2e"), ("BASIC+", "basic_plus_kg_co2e")]
    cells += [[name, "", "", amount_text(found[key]), "", "", ""] for name, key in sums]
    return [
        heading(words["gpc"]), sentence(words["gpc_lead"]),
        table(columns, cells, [len(cells) - 2, len(cells) - 1]),
    ]  # fmt: skip
