"""What the commands `quintet bill` say beside the amounts, in both languages, from data."""

from collections.abc import Mapping
from functools import cache
from typing import Annotated, Literal

from cyclopts import Parameter

from quintet.terms.catalogue import check_keys, read_toml

Language = Literal["en", "ko"]
LanguageOption = Annotated[
    Language, Parameter(name=("--lang", "--language"), help="The language of names, notes and sources.")
]
FILE = "bill_words.toml"


@cache
def _words() -> Mapping[str, Mapping[str, str]]:
    rows = read_toml("quintet.app", FILE)["word"]
    for key, row in rows.items():
        check_keys(row, required={"en", "ko"}, optional=set(), place=f"{FILE} [word.{key}]")
    return rows


def said(language: Language, key: str, **facts: object) -> str:
    """Say one sentence with its facts."""
    return _words()[key][language].format(**facts)


def of(row: object, name: str, language: Language) -> str:
    """Give a dated row's name, source or note in a language."""
    own = name if language == "en" and name != "name" else f"{name}_{language}"
    return str(getattr(row, own))
