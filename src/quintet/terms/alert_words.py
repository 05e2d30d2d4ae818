"""What alerts say, in whole sentences, in Korean and English: the one place for page, mail and push."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache
from string import Formatter
from typing import Any
from zoneinfo import ZoneInfo

from .alert import Alert
from .catalogue import check_keys, read_toml
from .commodity import commodities
from .period import from_us, local_day

LANGUAGES = ("en", "ko")
TABLES = {"alert", "reason", "check", "kind", "unit"}
SENTENCES = {"title", "text", "won", "action"}
OTHER = "other"
"""The row for what a table does not name."""


@dataclass(frozen=True, slots=True)
class Said:
    """An alert in words: what it is, the sentences, and what to do."""

    title: str
    text: str
    won: str
    action: str


@cache
def words(language: str) -> Mapping[str, Any]:
    """Give the words of a language; a language that there is none of is English."""
    chosen = language if language in LANGUAGES else LANGUAGES[0]
    table = read_toml("quintet.terms", f"alert_words.{chosen}.toml")
    check_keys(table, required=TABLES, optional=set(), place=f"alert_words.{chosen}.toml")
    for code, row in table["alert"].items():
        check_keys(row, required=SENTENCES, optional=set(), place=f"alert {code}")
    return table


def said(alert: Alert, language: str, tz: ZoneInfo) -> Said:
    """Say an alert: `text` what is so, `won` what it costs or why that cannot be said, `action` what to do."""
    rows = words(language)["alert"]
    row = rows.get(variant(alert), rows[OTHER])
    figures = _figures(alert, language, tz)
    title, text, action = (row[name].format_map(figures) for name in ("title", "text", "action"))
    if alert.won is not None:
        won = row["won"].format_map(figures)
    elif row["won"]:
        reasons = words(language)["reason"]
        won = reasons.get(alert.won_reason, reasons[OTHER])
    else:
        won = ""
    return Said(title, text, won, action)


def variant(alert: Alert) -> str:
    """Name the row of words that fits an alert's figures."""
    figures = alert.figures
    if alert.kind == "dead_meter" and "alike_homes" in figures:
        return "dead_meter_alike"
    if alert.kind == "gas_unresting" and "idle" in figures:
        return "gas_unresting_idle"
    if alert.kind in ("water_leak", "gas_unresting") and {"known_hours", "hours"} <= set(figures):
        return alert.kind if _number(figures["known_hours"]) >= _number(figures["hours"]) else f"{alert.kind}_known"
    if alert.kind == "base_load" and "share" in figures:
        return "base_load_share"
    if alert.kind == "budget" and _number(figures.get("so_far")) > _number(figures.get("budget")):
        return "budget_passed"
    return alert.kind


def check_said(kind: str, commodity: str, why: str, figures: Mapping[str, Any], language: str) -> str:
    """Say what is looked for, and why it cannot be judged."""
    table = words(language)
    sentence = table["check"].get(why, table["check"][OTHER])
    named = {"kind": table["kind"].get(kind, table["kind"][OTHER]), "commodity": commodity_name(commodity, language)}
    return sentence.format_map(_Known({**named, **{name: shown(value, language) for name, value in figures.items()}}))


@cache
def named(why: str) -> frozenset[str]:
    """Give the figures that a reason's sentence names, in any language: what of it people are shown."""
    sentences = [table.get(why, table[OTHER]) for table in (words(language)["check"] for language in LANGUAGES)]
    return frozenset(name for one in sentences for _, name, _, _ in Formatter().parse(one) if name)


def kind_name(kind: str, language: str) -> str:
    """Name a kind of alert."""
    names = words(language)["kind"]
    return names.get(kind, names[OTHER])


def unit_of(figure: str, figures: Mapping[str, Any], language: str) -> str:
    """Give the unit of a figure; empty where it has none."""
    if figure in ("flow", "flow_day", "step") and "flow_unit" in figures:
        return f"{figures['flow_unit']}/h" if figure == "flow" else str(figures["flow_unit"])
    return words(language)["unit"].get(figure, "")


def commodity_name(code: str, language: str) -> str:
    """Name a utility; one that a city added is named by its code."""
    row = commodities().get(code)
    if row is None:
        return code
    return row.name_ko if language == "ko" else row.name_en


def day_said(day: date, language: str) -> str:
    """Write a day as people do: 3 Nov, 11월 3일."""
    return f"{day.month}월 {day.day}일" if language == "ko" else f"{day.day} {day:%b}"


def shown(value: Any, language: str) -> str:
    """Write a figure as people do: thousands apart, days by name."""
    if isinstance(value, bool | int):
        return f"{value:,}"
    if isinstance(value, float):
        return f"{value:,.0f}" if abs(value) >= 100 or value.is_integer() else f"{value:,.1f}"
    try:
        return day_said(date.fromisoformat(str(value)), language)
    except ValueError:
        return str(value)


class _Known(dict[str, str]):
    """Figures by name; one that is not there is written as a dash, so that no sentence is ever lost."""

    def __missing__(self, key: str) -> str:
        return "–"


def _figures(alert: Alert, language: str, tz: ZoneInfo) -> _Known:
    """Give what the sentences may name."""
    out = {name: shown(value, language) for name, value in alert.figures.items()}
    out["commodity"] = commodity_name(alert.commodity, language)
    if language != "ko":
        out["commodity"] = out["commodity"].capitalize() if alert.kind == "water_leak" else out["commodity"]
    out["since"] = day_said(local_day(from_us(alert.since_us), tz), language)
    out["won"] = "" if alert.won is None else f"{alert.won:,}"
    month = alert.figures.get("month")
    if isinstance(month, str):
        first = date.fromisoformat(f"{month}-01")
        out["month_end"] = day_said((first + timedelta(days=32)).replace(day=1) - timedelta(days=1), language)
    return _Known(out)


def _number(value: object) -> float:
    return float(value) if isinstance(value, int | float) else 0.0
