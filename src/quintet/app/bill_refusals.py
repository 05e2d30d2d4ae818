"""What the commands `quintet bill` refuse, said in Korean where that language is asked for; from data."""

import re
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache

from quintet.terms.catalogue import check_keys, read_toml
from quintet.terms.errors import QuintetError

from .bill_words import Language

FILE = "bill_refusals.toml"
SLOT = re.compile(r"\{([a-z_]+)\}")
GENERAL = "받아들일 수 없습니다. (영어 설명: {text})"
"""Around what only English says, as of a wrong row in a file of own cards."""


@dataclass(frozen=True, slots=True)
class Form:
    """A sentence and what to do next; it fits where the refusal carries its slots, and `holds` where that is named."""

    ko: str
    then: str
    holds: str

    def fits(self, said: Mapping[str, str]) -> bool:
        """Tell whether all that it says is known."""
        return {*SLOT.findall(self.ko + self.then)} <= said.keys() and (not self.holds or bool(said.get(self.holds)))


@cache
def forms() -> Mapping[str, tuple[Form, ...]]:
    """Give the sentences by code, in order."""
    out: dict[str, tuple[Form, ...]] = {}
    for row in read_toml("quintet.app", FILE)["refusal"]:
        check_keys(row, required={"code", "ko", "then"}, optional={"holds"}, place=f"{FILE} {row.get('code')}")
        out[row["code"]] = (*out.get(row["code"], ()), Form(row["ko"], row["then"], row.get("holds", "")))
    return out


@contextmanager
def refusals_in(language: Language) -> Generator[None]:
    """Say what is refused within in a language."""
    try:
        yield
    except QuintetError as error:
        if language == "ko":
            error.message, error.remedy = _said(error)
        raise


def _said(error: QuintetError) -> tuple[str, str]:
    said = {name: _written(one) for name, one in error.said.items()}
    found = next((form for form in forms().get(error.code, ()) if form.fits(said)), None)
    if found is None:
        return GENERAL.format(text=f"{error.message} {error.remedy}".strip()), ""
    return SLOT.sub(lambda slot: said[slot[1]], found.ko), SLOT.sub(lambda slot: said[slot[1]], found.then)


def _written(value: object) -> str:
    """Write a figure with its thousands, a list with commas, what does not hold as nothing."""
    if isinstance(value, bool):
        return "1" if value else ""
    if isinstance(value, int):
        return f"{value:,}"
    return ", ".join(map(str, value)) if isinstance(value, (list, tuple)) else str(value)
