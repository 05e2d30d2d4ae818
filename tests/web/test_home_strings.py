"""The resident's page speaks by one catalogue a language: nothing missing, nothing unused; its answers as published."""

import json
import re
from pathlib import Path

import msgspec
import pytest

import quintet.views.answers_alerts as answers_alerts
import quintet.views.answers_home as answers
from quintet.views.answers import Answer
from quintet.views.home_compare import UNKNOWN
from quintet.web.home import WORDS, words
from quintet.web.home_first import TOLD

SHELL = {"app.name", "app.short", "app.about", "starting", "noscript", "title"}
"""Strings that the server writes into the page's frame."""
FAMILIES = (
    "nav", "live", "refused", "tile", "usual", "why", "length", "mark", "legend", "compare", "data", "ended", "way",
    "outcome", "trouble", "figure", "nowon", "telling.state", "telling.wrong",
)  # fmt: skip
"""Strings that are named by a code: told(family, code)."""


def sources(root: Path) -> str:
    found = sorted(path for path in (root / "frontend/src").rglob("*") if path.suffix in (".ts", ".svelte"))
    assert len(found) > 15
    return "\n".join(path.read_text(encoding="utf-8") for path in found if not path.name.endswith(".test.ts"))


def used(text: str) -> set[str]:
    """Name the keys that stand in the sources in quotes, as t("key") or as one of two."""
    return set(re.findall(r"""["']([a-z_]+(?:\.[a-z_]+)*)["']""", text))


@pytest.mark.parametrize("language", ["en", "ko"])
def test_no_string_is_missing_and_none_unused(root: Path, language: str) -> None:
    text, said = sources(root), set(words(language))
    named = used(text)
    families = [one for one in FAMILIES if f'told("{one}"' in text]
    of_families = {key for key in said if any(key.startswith(f"{one}.") for one in families)}
    assert set(re.findall(r"""\bt\(\s*["']([^"']+)["']""", text)) <= said
    assert said - named - of_families - SHELL == set()


def test_both_languages_hold_the_same_keys_and_gaps() -> None:
    english, korean = words("en"), words("ko")
    assert english.keys() == korean.keys()
    for key, text in english.items():
        gaps = [sorted(set(re.findall(r"\{(\w+)\}", one))) for one in (text, korean[key])]
        assert gaps[0] == gaps[1] or key == "tier.last", key
        assert text.strip()
        assert korean[key].strip()
    assert set(re.findall(r"\{(\w+)\}", korean["tier.last"])) == {"number", "unit", "price"}


def test_every_reason_that_an_answer_may_give_has_its_words() -> None:
    said = words("en")
    reasons = ("no_reading_today", "clock_change", "stopped", "gaps_today", "too_few_days", "moved_in_today")
    assert all(f"usual.{one}" in said for one in reasons)
    assert all(f"tile.{one}" in said for one in ("none", "new", "silent", "stopped", "late"))
    assert all(f"mark.{one}" in said for one in ("measured", "estimated", "edited", "questionable", "missing"))
    assert all(f"compare.{one}" in said for one in ("too_few_homes", "one_is_most", "no_meter", "no_whole_month"))
    assert all(f"compare.{one}" in said for one in (UNKNOWN,))
    assert all(f"nowon.{one}" in said for one in (*TOLD, "other"))


def test_the_page_reads_only_fields_that_are_published(root: Path) -> None:
    text = (root / "frontend/src/lib/answers.ts").read_text(encoding="utf-8")
    shapes = dict(re.findall(r"export interface (\w+) \{\n(.*?)\n\}", text, re.S))
    assert len(shapes) > 8
    for name, body in shapes.items():
        kind = getattr(answers, name)
        assert issubclass(kind, Answer)
        published = {field.encode_name for field in msgspec.structs.fields(kind)}
        assert set(re.findall(r"^  (\w+):", body, re.M)) == published, name


def test_alerts_are_read_as_they_are_published(root: Path) -> None:
    text = (root / "frontend/src/lib/alerts.ts").read_text(encoding="utf-8")
    shapes = dict(re.findall(r"export interface (\w+) \{\n(.*?)\n\}", text, re.S))
    shapes.pop("Checks")  # the page's own
    assert len(shapes) == 6
    for name, body in shapes.items():
        published = {field.encode_name for field in msgspec.structs.fields(getattr(answers_alerts, name))}
        assert set(re.findall(r"^  (\w+):", body, re.M)) == published, name


@pytest.mark.parametrize("language", ["en", "ko"])
def test_a_catalogue_is_plain_text_in_order(language: str) -> None:
    path = WORDS / f"{language}.json"
    assert all(isinstance(one, str) for one in json.loads(path.read_text(encoding="utf-8")).values())
