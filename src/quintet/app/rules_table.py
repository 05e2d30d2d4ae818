"""The rules in force as a table: the shipped ones, or those of a city with its own changes on top."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from quintet.registry.settings import TABLES
from quintet.terms.catalogue import read_toml, read_toml_file
from quintet.terms.errors import BadInput
from quintet.vee import Rule, Rules, rules
from quintet.vee.rulebook import EVERY, rules_absent

from .answer import Answer, document_of
from .cells import rows_of
from .ledger_settings import TABLES_HERE
from .settings import CITY_MARK, city_folder, read_settings

RULES = "rule"
"""The table of city.toml in which a city changes rules: `[rule.V07]`."""
OF_A_RULE = ["rule", "name_en", "name_ko", "severity", "reach", "marks", "applies"]
COLUMNS = [*OF_A_RULE, "threshold", "value", "unit", "scope", "source", "date", "set_by", "in_force", "changed_by_city"]
SHIPPED, CITY = "quintet", "city"
"""Who set a threshold."""
BESIDE = {"outages": "outages.toml", "inference": "inference.toml"}
"""Numbers that no rule of the table reads, but what is concluded beside them: files of quintet.vee, by their title."""


def rules_of(settings: dict[str, Any], path: Path) -> Rules:
    """Give the rules that a parsed city.toml puts in force; a bad row is refused with the file's name."""
    own = settings.get(RULES)
    try:
        return rules(own)
    except BadInput as error:
        if own:
            error.place = f"{path}, {error.place}" if error.place else str(path)
        raise


def rules_in_force(city: Path | None) -> Rules:
    """Give the rules of a city folder, or those that ship where none is named; raises BadInput for an unknown table."""
    if city is None:
        return rules()
    path = city_folder(city) / CITY_MARK
    settings = read_toml_file(path)
    known = {RULES, *TABLES, *TABLES_HERE}
    strange = sorted(settings.keys() - known)
    if strange:
        raise BadInput(
            f"holds a table [{strange[0]}] that nothing reads.",
            code="unknown_key",
            place=str(path),
            remedy=f"A rule is changed in [{RULES}.V07] and the like; other tables are {', '.join(sorted(known))}.",
        )
    return rules_of(settings, path)


def rules_table(city: Path | None) -> Answer:
    """Give one row a threshold (one a rule that has none), and the same as a document."""
    folder = city or read_settings(os.environ, Path.cwd()).city
    table = rules_in_force(folder)
    rows = {rule.id: [*_thresholds(rule), *_upstream(rule)] for rule in table.rules}
    beside = [(title, row) for title, name in BESIDE.items() for row in _beside(name)]
    cells: list[dict[str, Any]] = []
    for rule in table.rules:
        common = {**_common(rule), "changed_by_city": " ".join(_changed(rule)) or None}
        cells += [{**common, **row} for row in rows[rule.id]] or [{**dict.fromkeys(COLUMNS), **common}]
    cells += [{**dict.fromkeys(COLUMNS), "rule": title, **row} for title, row in beside]
    document = {
        "rule_set": table.fingerprint,
        "city": None if folder is None else str(city_folder(folder)),
        "rules": [
            {**_common(rule), "text_en": rule.text_en, "text_ko": rule.text_ko, "thresholds": rows[rule.id]}
            for rule in table.rules
        ],
        "beside": [{"of": title, **row} for title, row in beside],
        "absent": dict(rules_absent()),
    }
    title = f"{len(table.rules)} rules, set {table.fingerprint}"
    return Answer(COLUMNS, rows_of(COLUMNS, cells), document_of(document), title=title)


def _common(rule: Rule) -> dict[str, Any]:
    """Give what is said of a rule itself."""
    return {
        "rule": rule.id,
        "name_en": rule.name_en,
        "name_ko": rule.name_ko,
        "severity": rule.severity,
        "reach": rule.reach,
        "marks": rule.doubts,
        "marks_why": rule.marks or rule.keeps or None,
        "applies": str(rule.scope),
        "changed_by_city": _changed(rule),
    }


def _changed(rule: Rule) -> list[str]:
    """Name what the city changed of a rule that ships."""
    ours = rules()[rule.id]
    pairs = {
        "severity": (rule.severity, ours.severity),
        "marks": ((rule.marks, rule.keeps), (ours.marks, ours.keeps)),
        "applies": (rule.scope, ours.scope),
        "thresholds": (rule.parameters, ours.parameters),
    }
    return [name for name, (own, other) in pairs.items() if own != other]


def _thresholds(rule: Rule) -> list[dict[str, Any]]:
    """Give a rule's thresholds, as the table states them; one that later rows replace everywhere is not in force."""
    shipped = len(rules()[rule.id].parameters)
    return [
        {
            "threshold": one.name,
            "value": one.stated,
            "unit": one.unit,
            "scope": str(one.scope),
            "source": one.source,
            "date": one.date.isoformat(),
            "set_by": SHIPPED if place < shipped else CITY,
            "in_force": not any(
                (later.name, later.quantity) == (one.name, one.quantity) and later.scope in (EVERY, one.scope)
                for later in rule.parameters[place + 1 :]
            ),
        }
        for place, one in enumerate(rule.parameters)
    ]


def _upstream(rule: Rule) -> list[dict[str, Any]]:
    """Give the thresholds by which a rule is found while readings become intervals."""
    rows = read_toml("quintet.pipeline", "derive.toml")["limit"]
    return [_row(name, row, f"{row['source']}: {row['why']}") for name, row in rows.items() if row["rule"] == rule.id]


def _beside(name: str) -> list[dict[str, Any]]:
    """Give the thresholds of a file of what is concluded beside the rules."""
    table = read_toml("quintet.vee", name)
    found = [(key, row) for key, row in table.get("threshold", {}).items()]
    found += [(f"presence.{key}", {**row, "value": row["least"]}) for key, row in table.get("presence", {}).items()]
    return [_row(key, row, row["source"]) for key, row in found]


def _row(name: str, row: Mapping[str, Any], source: str) -> dict[str, Any]:
    """Give a threshold of another file as those of rules are given."""
    return {
        "threshold": name,
        "value": str(row["value"]),
        "unit": row["unit"],
        "scope": "all",
        "source": source,
        "date": str(row["date"]),
        "set_by": SHIPPED,
        "in_force": True,
    }
