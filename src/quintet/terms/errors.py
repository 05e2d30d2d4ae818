"""The errors that cross package borders.

QuintetError            a sentence for a person: what is wrong, where, what to do
├─ UsageError         the command or request itself is wrong        (CLI exit 2, HTTP 400)
├─ BadInput           a file, row or value cannot be taken          (exit 1, HTTP 422)
│  ├─ TooLarge        it is more than a door takes at once          (HTTP 413)
│  ├─ UnknownForm     it is written in a form that no door reads    (HTTP 415)
│  └─ TooSlow         it did not come whole in time                 (HTTP 408)
├─ NotFound           nothing of that name in this city             (exit 1, HTTP 404)
│  └─ Lacking         what is the reader's own has no such thing    (HTTP 404)
├─ Unknown            the sender says not who it is, or wrongly     (exit 1, HTTP 401)
├─ Forbidden          the reader has no right to it                 (exit 1, HTTP 403)
├─ CityError          the city folder cannot be opened or written   (exit 1, HTTP 503)
└─ Damaged            stored data fail their digest                 (exit 1, HTTP 500)
"""

from collections.abc import Mapping


class QuintetError(Exception):
    """An error meant for a person.

    `code` is stable and machine-readable, `place` names file, row, meter or table, `remedy` says what to do next.
    `said` holds the figures and names of the sentence by name, for who says it in another language.
    """

    status = 500
    exit_code = 1
    retry_after_s = 0
    """After how many seconds the same may be tried again; 0: trying again alone does not help."""

    def __init__(
        self, message: str, *, code: str, place: str = "", remedy: str = "", said: Mapping[str, object] | None = None
    ) -> None:
        """Hold the parts; `str()` joins message, place and remedy to one readable text."""
        self.said: Mapping[str, object] = said or {}
        self.message = message
        self.code = code
        self.place = place
        self.remedy = remedy
        super().__init__(message)

    def __str__(self) -> str:
        """Give place, message and remedy in one line."""
        where = f"{self.place}: " if self.place else ""
        then = f" {self.remedy}" if self.remedy else ""
        return f"{where}{self.message}{then}"


class UsageError(QuintetError):
    """The command or request itself is wrong."""

    status = 400
    exit_code = 2


class BadInput(QuintetError):
    """A file, row or value cannot be taken as it is."""

    status = 422


class TooLarge(BadInput):
    """It is more than a door takes at once."""

    status = 413


class UnknownForm(BadInput):
    """It is written in a form that no door reads."""

    status = 415


class TooSlow(BadInput):
    """It did not come whole in time."""

    status = 408


class NotFound(QuintetError):
    """Nothing of that name in this city."""

    status = 404


class Lacking(NotFound):
    """What is the reader's own has no such thing: raised after his rights were asked, and said to him as it is."""


class Unknown(QuintetError):
    """The sender says not who it is, or wrongly."""

    status = 401


class Forbidden(QuintetError):
    """The reader has no right to it."""

    status = 403


class CityError(QuintetError):
    """The city folder cannot be opened or written."""

    status = 503
    retry_after_s = 10


class Damaged(QuintetError):
    """Stored data fail their digest."""
