"""The rules in force as a table: the shipped ones, or those of a city with its own changes on top."""

import os
from pathlib import Path
from typing import Any

from quintet.terms.catalogue import read_toml_file
from quintet.terms.errors import BadInput
from quintet.vee import Rule, Rules, rules

from .answer import Answer, document_of
from .cells import rows_of
from .settings import CITY_MARK, city_folder, read_settings

RULES = "rule"
"""The table of city.toml in which a city changes rules: `[rule.V07]`."""
OF_A_RULE = ["rule", "name_en", "name_ko", "severity", "reach", "applies"]
COLUMNS = [*OF_A_RULE, "threshold", "value", "unit", "scope", "source", "date"]


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
    """Give the rules of a city folder, or those that ship where none is named."""
    if city is None:
        return rules()
    path = city_folder(city) / CITY_MARK
    return rules_of(read_toml_file(path), path)


def rules_table(city: Path | None) -> Answer:
    """Give one row a threshold (one a rule that has none), and the same as a document."""
    folder = city or read_settings(os.environ, Path.cwd()).city
    table = rules_in_force(folder)
    cells: list[dict[str, Any]] = []
    for rule in table.rules:
        common = _common(rule)
        cells += [{**common, **row} for row in _thresholds(rule)] or [{**dict.fromkeys(COLUMNS), **common}]
    document = {
        "rule_set": table.fingerprint,
        "city": None if folder is None else str(city_folder(folder)),
        "rules": [
            {**_common(rule), "text_en": rule.text_en, "text_ko": rule.text_ko, "thresholds": _thresholds(rule)}
            for rule in table.rules
        ],
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
        "applies": str(rule.scope),
    }


def _thresholds(rule: Rule) -> list[dict[str, Any]]:
    """Give a rule's thresholds, as the table states them."""
    return [
        {
            "threshold": one.name,
            "value": one.stated,
            "unit": one.unit,
            "scope": str(one.scope),
            "source": one.source,
            "date": one.date.isoformat(),
        }
        for one in rule.parameters
    ]
