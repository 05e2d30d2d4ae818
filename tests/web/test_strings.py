"""One catalogue of strings per language: nothing missing, nothing unused, the same gaps to fill."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest

import quintet.web
from quintet.terms.quality import qualities
from quintet.terms.tables import FLOW_NAMES
from quintet.web.page import FRAME, LANGUAGES, chosen_language, strings
from quintet.web.signin import account_strings

WEB = Path(quintet.web.__file__).parent
FAMILIES = {"flow": set(FLOW_NAMES), "quality": set(qualities())}
"""Strings that are named by data, not in the source."""
BY_CODE = {"problem.unknown_place", "problem.bad_day"}
"""Strings that are named by a problem's code; what has none is said by problem.other."""


def used(html: str, scripts: str) -> set[str]:
    """Name the keys that a page and its scripts use."""
    from_page = set(re.findall(r"\{\{([a-z.]+)\}\}", html)) - set(FRAME)
    from_scripts = set(re.findall(r"""["']([a-z]+(?:\.[a-z]+)*)["']""", scripts)) & set(strings("en"))
    called = set(re.findall(r"""\bt\(\s*"([^"]+)\"""", scripts))
    families = {f"{family}.{name}" for family, names in FAMILIES.items() for name in names}
    return from_page | from_scripts | called | families | BY_CODE | {"lang.name"}


def sources() -> tuple[str, str]:
    scripts = sorted((WEB / "static").glob("*.js"))
    assert len(scripts) > 3
    html = (WEB / "city.html").read_text(encoding="utf-8")
    return html, "\n".join(path.read_text(encoding="utf-8") for path in scripts)


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_string_is_missing_and_none_unused(language: str) -> None:
    assert used(*sources()) == set(strings(language))


def test_a_missing_and_an_unused_string_would_be_seen() -> None:
    html, scripts = sources()
    assert used(html + "{{no.such}}", scripts) - set(strings("en")) == {"no.such"}
    assert used(html, scripts + 't("nothing.here")') - set(strings("en")) == {"nothing.here"}
    assert used(html.replace("{{skip}}", ""), scripts) != set(strings("en"))


@pytest.mark.parametrize("key", strings("en"))
def test_both_languages_fill_the_same_gaps_and_say_something(key: str) -> None:
    gaps: Callable[[str], list[str]] = lambda text: sorted(re.findall(r"\{(\w+)\}", text))  # noqa: E731
    english, korean = strings("en")[key], strings("ko")[key]
    assert gaps(english) == gaps(korean)
    assert english.strip()
    assert korean.strip()


@pytest.mark.parametrize(
    ("asked", "accepted", "chosen"),
    [
        ("ko", "en-GB,en;q=0.9", "ko"),
        ("en", "ko", "en"),
        (None, "ko-KR,ko;q=0.9,en;q=0.8", "ko"),
        (None, "de,en;q=0.5,ko;q=0.7", "ko"),
        (None, "fr", "en"),
        (None, "ko;q=nonsense,en;q=0.1", "en"),
        ("tlh", "", "en"),
    ],
)
def test_the_language_is_the_one_asked_for_else_the_one_accepted(asked: str | None, accepted: str, chosen: str) -> None:
    assert chosen_language(asked, accepted) == chosen


def test_the_pages_of_accounts_say_all_in_both_languages_and_nothing_twice() -> None:
    said = {language: account_strings(language) for language in LANGUAGES}
    assert said["ko"].keys() == said["en"].keys()
    scripts = sorted((WEB / "static" / "account").glob("*.js"))
    sources = "".join(one.read_text() for one in (WEB / "signin.py", WEB / "account_page.py", *scripts))
    named = {key for key in said["en"] if key in sources or key.rpartition(".")[2] in sources}
    assert {key for key in said["en"] if not key.startswith("problem.")} <= named
    gaps = {language: {key: re.findall(r"\{\w+\}", text) for key, text in said[language].items()} for language in said}
    assert gaps["ko"] == gaps["en"]
