"""The words of a report in both languages, from data; a sentence is never glued from parts."""

from collections.abc import Mapping
from functools import cache
from typing import Any

from quintet.terms.catalogue import check_keys, read_toml

LANGUAGES = ("en", "ko")
_TABLE: dict[str, Any] = read_toml("quintet.app", "report.toml")
METHOD: dict[str, str] = dict(_TABLE["method"])
"""How figures are made, a sentence a part; it goes into every bundle."""
COLOURS: dict[str, str] = dict(_TABLE["colour"])
"""Fills of charts by carrier; `other` for those that have none."""


@cache
def words_of(lang: str) -> Mapping[str, str]:
    """Give the words of a language; raises BadInput for a row that lacks one."""
    out: dict[str, str] = {}
    for key, row in _TABLE["word"].items():
        check_keys(row, required=set(LANGUAGES), optional=set(), place=f"report.toml [word.{key}]")
        out[key] = row[lang]
    return out
