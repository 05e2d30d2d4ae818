"""The words around alerts in messages that leave the city, one file a language."""

from collections.abc import Mapping
from functools import cache

from .catalogue import check_keys, read_toml

LANGUAGES = ("en", "ko")


def language_of(chosen: str) -> str:
    """Give the language of a message to somebody: the one that he chose, else English."""
    return chosen if chosen in LANGUAGES else LANGUAGES[0]


def words(language: str) -> Mapping[str, str]:
    """Give the sentences of a language by key."""
    return _table(language_of(language))["word"]


@cache
def _table(language: str) -> Mapping[str, Mapping[str, str]]:
    name = f"telling_words.{language}.toml"
    table = read_toml("quintet.terms", name)
    check_keys(table, required={"word"}, optional=set(), place=name)
    return table
