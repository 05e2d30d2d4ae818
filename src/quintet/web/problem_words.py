"""What went wrong, in another language than English: by its code, filled with the figures that the error carries."""

import json
import re
from collections.abc import Mapping
from functools import cache
from http import HTTPStatus
from importlib.resources import files

import msgspec

from quintet.terms.errors import QuintetError

from .page import DEFAULT_LANGUAGE, LANGUAGES

SLOT = re.compile(r"\{([a-z_]+)\}")


class Form(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A sentence and what to do next, with slots as {most}."""

    detail: str
    remedy: str

    @property
    def slots(self) -> frozenset[str]:
        """Name what it is filled with."""
        return frozenset(SLOT.findall(self.detail + self.remedy))

    def filled(self, said: Mapping[str, str]) -> tuple[str, str]:
        """Give both with every slot filled; raises KeyError for one that is not said."""
        return SLOT.sub(lambda slot: said[slot[1]], self.detail), SLOT.sub(lambda slot: said[slot[1]], self.remedy)


class Words(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A language's sentences by code, as bad_* for a family of codes, and by status where a code has none.

    A row such as not_agreed.422 is of the code at this status only; `value` words what a slot says, as step.month.

    Of a code's forms that one is said, of the first on, whose slots the error fills. `english` stands around what only
    the English sentence holds.
    """

    english: str
    status: dict[str, Form]
    value: dict[str, str]
    code: dict[str, list[Form]]

    def forms(self, code: str, status: int) -> list[Form]:
        """Give the forms of a code; none where it has no row."""
        rows = self.code
        return rows.get(f"{code}.{status}") or rows.get(code) or rows.get(f"{code.partition('_')[0]}_*", [])

    def worded(self, said: Mapping[str, object]) -> dict[str, str]:
        """Write figures with their thousands, lists with commas, and words of ours as `value` has them."""
        return {name: self.value.get(f"{name}.{one}", _written(one)) for name, one in said.items()}


@cache
def words(language: str) -> Words:
    """Read a language's sentences; raises msgspec.ValidationError for a row of another shape."""
    text = files("quintet.web").joinpath("strings", "problems", f"{language}.json").read_text(encoding="utf-8")
    return msgspec.convert(json.loads(text), Words)


def worded(error: QuintetError, language: str) -> tuple[str, str]:
    """Give an error's sentence and its remedy in a language: in English as it was raised.

    One whose code has no sentence is said by its status, with the English words beside it.
    """
    if language == DEFAULT_LANGUAGE or language not in LANGUAGES:
        return error.message, error.remedy
    known = words(language)
    said = known.worded({"place": error.place, **error.said})
    fitting = (form for form in known.forms(error.code, error.status) if form.slots <= said.keys())
    form = next(fitting, None)
    if form is not None:
        return form.filled(said)
    general = known.status.get(str(error.status), known.status[str(HTTPStatus.INTERNAL_SERVER_ERROR.value)])
    english = " ".join(one for one in (error.message, error.remedy) if one)
    return f"{general.detail} {known.english.format(said=english)}", general.remedy


def _written(value: object) -> str:
    """Write a figure with its thousands, a list with commas."""
    if isinstance(value, int) and not isinstance(value, bool):
        return f"{value:,}"
    return ", ".join(map(str, value)) if isinstance(value, (list, tuple)) else str(value)
