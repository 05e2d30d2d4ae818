"""The pages of a report: its figures and words as blocks, in the order in which they are read."""

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from .report_blocks import Block, chart, column, heading, note, sentence, table
from .report_ghg import emission_blocks, gpc_blocks
from .report_text import amount_text, carrier_text, month_text, share_text
from .report_words import COLOURS, METHOD, words_of

SOURCES = ("import", "local_generation", "conversion_out", "storage_discharge")
USES = ("consumption", "conversion_in", "storage_charge", "export", "known_loss")
FLOWS = (*SOURCES, *USES, "closure_error")
SHOWN_WITHOUT = "power_local"
"""The definition that is shown where the city is bound to none."""
WEAK = Decimal("0.8")
"""Below this coverage a number is drawn grey: it speaks of a part."""
TONNE_KG = 1000
Figures = dict[str, Any]


def title_of(figures: Figures, lang: str) -> str:
    """Give the report's title."""
    return words_of(lang)["title"].format(city=figures[f"city_{lang}"])


def blocks_of(figures: Figures, basis: Figures, lang: str) -> list[Block]:
    """Give all blocks of a report."""
    return [
        *_first(figures, lang), *_balance(figures, lang), *_uncertainty(figures, lang), *_books(figures, lang),
        *_definitions(figures, lang), *_steps(figures, lang), *emission_blocks(figures, lang),
        *gpc_blocks(figures, lang), *_missing(figures, lang), *_proof(figures, basis, lang),
    ]  # fmt: skip


def _first(figures: Figures, lang: str) -> list[Block]:
    """Say the two numbers that a report is about, with what they are worth."""
    words = words_of(lang)
    sufficiency, emissions = figures["self_sufficiency"], figures["emissions"]
    pinned = sufficiency["pinned"]
    wanted = pinned["definition"] if pinned else SHOWN_WITHOUT
    shown = next((one for one in sufficiency["definitions"] if one["id"] == wanted), None)
    name = shown[f"name_{lang}"] if shown else wanted
    value, coverage = (None, None) if shown is None else (shown["value"], shown["coverage"])
    kg = sum((Decimal(one["kg_co2e"] or 0) for one in emissions["scopes"] if one["scope"] in (1, 2)), Decimal(0))
    without = sum(one["without_number"] for one in emissions["scopes"])
    span = words["period"].format(first=figures["from"][:10], last=_last_day(figures["to"]))
    lead = [span, words["known_at"].format(moment=figures["known_at"])]
    lead += [words["simulated"]] if figures["simulated"] else []
    said = words["bound" if pinned else "not_bound"].format(name=name)
    return [
        heading(title_of(figures, lang)),
        sentence("  ·  ".join(lead)),
        {
            "kind": "hero",
            "cells": [
                {
                    "label": said, "value": words["unknown"] if value is None else share_text(value),
                    "note": words["coverage_of"].format(share=share_text(coverage)),
                    "weak": coverage is None or coverage < WEAK,
                },
                {
                    "label": words["emitted"], "value": f"{amount_text(round(kg / TONNE_KG, 1))} t CO2e",
                    "note": words["left_out"].format(count=without) if without else words["complete"],
                    "weak": bool(without),
                },
            ],
        },
        sentence(words["missing_count"].format(count=len(figures["missing"]))),
    ]  # fmt: skip


def _last_day(end: str) -> str:
    """Give the last day of a half-open range that ends at a local midnight."""
    return (date.fromisoformat(end[:10]) - timedelta(days=1)).isoformat()


def _balance(figures: Figures, lang: str) -> list[Block]:
    words = words_of(lang)
    out = [heading(words["balance"]), sentence(words["balance_lead"])]
    for carrier, unit in sorted({(row["commodity"], row["unit"]) for row in figures["balance"]}):
        rows = [row for row in figures["balance"] if (row["commodity"], row["unit"]) == (carrier, unit)]
        totals = {
            one["flow"]: one for one in figures["totals"] if (one["commodity"], one["unit"]) == (carrier, unit)
        }  # fmt: skip
        name = carrier_text(carrier, lang)
        out += [heading(f"{name} ({unit})", 2), _carrier_chart(rows, carrier, unit, lang)]
        flows = [flow for flow in FLOWS if flow == "closure_error" or any(row[flow] != 0 for row in rows)]
        columns = [column(words["month"]), *(column(words[flow], number=True) for flow in flows)]
        columns += [column(words[one], number=True) for one in ("coverage", "estimated_share")]
        cells = [
            [
                month_text(row["start"]), *(amount_text(row[flow]) for flow in flows),
                share_text(row["coverage"]), share_text(row["estimated_share"]),
            ]
            for row in rows
        ]  # fmt: skip
        cells.append([words["whole"], *(amount_text(totals[flow]["total"]) for flow in flows), "", ""])
        out.append(table(columns, cells, strong=[len(cells) - 1]))
        derived = sorted({flow for row in rows for flow in row["derived"]})
        if derived:
            named = ", ".join(words[flow] for flow in derived)
            out.append(note(words["derived_note"].format(flows=named)))
    return out


def _carrier_chart(rows: list[Figures], carrier: str, unit: str, lang: str) -> Block:
    words, name = words_of(lang), carrier_text(carrier, lang)
    groups: list[tuple[str, list[Decimal | None], str]] = []
    told: list[str] = []
    for row in rows:
        supply, use = _summed(row, SOURCES), _summed(row, USES)
        label = month_text(row["start"])
        groups.append((label, [supply, use], amount_text(None if use is None else round(use))))
        told.append(words["chart_value"].format(month=label, supply=amount_text(supply), use=amount_text(use)))
    return chart(
        words["chart_balance"].format(carrier=name, unit=unit),
        words["chart_alt"].format(carrier=name, unit=unit, values=" ".join(told)),
        COLOURS.get(carrier, COLOURS["other"]), groups, [words["supply"], words["use"]],
    )  # fmt: skip


def _summed(row: Figures, flows: tuple[str, ...]) -> Decimal | None:
    """Sum flows; unknown where one is."""
    known = [row[flow] for flow in flows]
    return None if None in known else sum((Decimal(one) for one in known), Decimal(0))


def _uncertainty(figures: Figures, lang: str) -> list[Block]:
    words = words_of(lang)
    out = [heading(words["uncertainty"])]
    out.append(sentence(words["uncertainty_lead"].format(level=share_text(figures["level"]))))
    first = [column(words["carrier"]), column(words["flow"])]
    numbers = [column(words[one], number=True) for one in ("total", "low", "high")]
    shares = [column(words[one], number=True) for one in ("coverage", "estimated_share")]
    whole = figures["certainty_whole"]["rows"]
    meters = [column(words[one], number=True) for one in ("meters", "meters_open")]
    rows = [
        [*_named(one, lang), *_bounds(one), *_shares(one), str(one["meters"]), str(one["meters_open"]),
         one["reason"] or ""]
        for one in whole
    ]  # fmt: skip
    out += [
        heading(words["uncertainty_whole"], 2),
        table([*first, *numbers, *shares, *meters, column(words["reason"], wide=True)], rows),
    ]
    by_month = [
        [*_named(one, lang), month_text(part["start"]), *_bounds(one), *_shares(one)]
        for at, _ in enumerate(whole)
        for part in figures["certainty"]
        for one in part["rows"]
        if (one["commodity"], one["flow"], one["unit"])
        == tuple(whole[at][key] for key in ("commodity", "flow", "unit"))
    ]
    out += [
        heading(words["uncertainty_months"], 2),
        table([*first, column(words["month"]), *numbers, *shares], by_month),
    ]
    return out


def _named(one: Figures, lang: str) -> list[str]:
    return [f"{carrier_text(one['commodity'], lang)} ({one['unit']})", words_of(lang)[one["flow"]]]


def _bounds(one: Figures) -> list[str]:
    return [amount_text(one[name]) for name in ("total", "low", "high")]


def _shares(one: Figures) -> list[str]:
    return [share_text(one["coverage"]), share_text(one["estimated_share"])]


def _books(figures: Figures, lang: str) -> list[Block]:
    """Lay out losses and conversions."""
    words = words_of(lang)
    out = [heading(words["losses"])]
    if figures["losses"]:
        columns = [column(words["month"]), column(words["network"]), column(words["carrier"])]
        columns += [column(words[one], number=True) for one in ("head", "below", "loss", "loss_share")]
        columns.append(column(words["reason"], wide=True))
        rows = [
            [
                month_text(one["start"]), one["network"], f"{carrier_text(one['commodity'], lang)} ({one['unit']})",
                *(amount_text(one[name]) for name in ("head", "below", "loss")), share_text(one["loss_share"]),
                one["reason"] or "",
            ]
            for one in figures["losses"]
        ]  # fmt: skip
        out += [sentence(words["losses_lead"]), table(columns, rows)]
    else:
        out.append(sentence(words["no_losses"]))
    out.append(heading(words["conversions"]))
    if not figures["conversions"]:
        return [*out, sentence(words["no_conversions"])]
    columns = [column(words["month"]), column(words["plant"])]
    columns += [column(words[one], number=True) for one in ("energy_in", "energy_out", "efficiency")]
    rows = [
        [
            month_text(one["start"]), one["plant"], amount_text(one["energy_in_kwh"]),
            amount_text(one["energy_out_kwh"]), share_text(one["efficiency"]), one["reason"] or "",
        ]
        for one in figures["conversions"]
    ]  # fmt: skip
    return [*out, table([*columns, column(words["reason"], wide=True)], rows)]


def _definitions(figures: Figures, lang: str) -> list[Block]:
    words, found = words_of(lang), figures["self_sufficiency"]
    bound = found["pinned"]["definition"] if found["pinned"] else None
    known = [one for one in found["definitions"] if one["value"] is not None]
    groups = [(one[f"name_{lang}"], [Decimal(one["value"])], share_text(one["value"])) for one in known]
    told = " ".join(f"{name}: {said}." for name, _, said in groups)
    columns = [column(words["definition"], wide=True), column("")]
    columns += [column(words[one], number=True) for one in ("value", "numerator", "denominator")]
    columns += [column(words["unit"]), *(column(words[one], number=True) for one in ("matched", "coverage"))]
    columns += [column(words["estimated_share"], number=True), column(words["reason"], wide=True)]
    rows = [
        [
            one[f"name_{lang}"], words["pinned"] if one["id"] == bound else "", share_text(one["value"]),
            amount_text(one["numerator"]), amount_text(one["denominator"]), one["unit"],
            f"{one['matched']} / {one['intervals']}", *_shares(one), one["reason"] or "",
        ]
        for one in found["definitions"]
    ]  # fmt: skip
    strong = [at for at, one in enumerate(found["definitions"]) if one["id"] == bound]
    out = [heading(words["self_sufficiency"]), sentence(words["self_lead"])]
    if groups:
        out.append(chart(words["chart_self"], f"{words['chart_self']}. {told}", COLOURS["electricity"], groups))
    return [*out, table(columns, rows, strong), *_taken_for_granted(found["definitions"], lang)]


def _taken_for_granted(found: list[Figures], lang: str) -> list[Block]:
    """Say which definitions rest on flows that no meter gives, and what was assumed, each once."""
    words = words_of(lang)
    told = [
        words["derived_in"].format(name=one[f"name_{lang}"], flows=", ".join(words[flow] for flow in one["derived"]))
        for one in found
        if one["derived"]
    ]
    assumed = dict.fromkeys(said for one in found for said in one["assumed"])
    return [note(each) for each in (*told, *(words["assumed"].format(what=one) for one in assumed))]


def _steps(figures: Figures, lang: str) -> list[Block]:
    words = words_of(lang)
    columns = [column(words["step"], wide=True)]
    columns += [column(words[one], number=True) for one in ("before", "by_assumption", "by_intervals", "after")]
    rows = [
        [
            f"{one[f'before_name_{lang}']} → {one[f'after_name_{lang}']}: {one[f'words_{lang}']}",
            *(share_text(one[name]) for name in ("value_before", "by_assumption", "by_intervals", "value_after")),
            one["reason"] or "",
        ]
        for one in figures["explanation"]["steps"]
    ]  # fmt: skip
    return [
        heading(words["explain"], 2), sentence(words["explain_lead"]),
        table([*columns, column(words["reason"])], rows),
    ]  # fmt: skip


def _missing(figures: Figures, lang: str) -> list[Block]:
    words = words_of(lang)
    out = [heading(words["missing"])]
    if not figures["missing"]:
        return [*out, sentence(words["missing_none"])]
    columns = [column(words["part"]), column(words["subject"], wide=True), column(words["periods"], number=True)]
    columns += [column(words["coverage"], number=True), column(words["reason"], wide=True)]
    rows = [
        [one["part"], one["subject"], str(one["periods"]), share_text(one["coverage"]), one["reason"]]
        for one in figures["missing"]
    ]
    return [*out, sentence(words["missing_lead"]), table(columns, rows)]


def _proof(figures: Figures, basis: Figures, lang: str) -> list[Block]:
    words = words_of(lang)
    chosen = basis["factor_set"]
    rows = [
        [words["rule_set"], basis["rule_set"]],
        [words["factor_set"], f"{chosen['name']} {chosen['digest']}"],
        [words["data"], basis["data"]],
        [words["registry"], basis["registry"]],
        [words["batch"], f"{basis['batch']}"],
        [words["software"], ", ".join(f"{name} {said}" for name, said in sorted(basis["software"].items()))],
        *([f"{words['method']}: {name}", said] for name, said in METHOD.items()),
    ]
    return [
        heading(words["proof"]), sentence(words["proof_lead"]),
        table([column(""), column(words["known_at"].format(moment=figures["known_at"]), wide=True)], rows),
    ]  # fmt: skip
