"""The errors that cross package borders.

QuintetError            a sentence for a person: what is wrong, where, what to do
├─ UsageError         the command or request itself is wrong        (CLI exit 2, HTTP 400)
├─ BadInput           a file, row or value cannot be taken          (exit 1, HTTP 422)
├─ NotFound           nothing of that name in this city             (exit 1, HTTP 404)
├─ Forbidden          the reader has no right to it                 (exit 1, HTTP 403)
├─ CityError          the city folder cannot be opened or written   (exit 1, HTTP 503)
└─ Damaged            stored data fail their digest                 (exit 1, HTTP 500)
"""


class QuintetError(Exception):
    """An error meant for a person.

    `code` is stable and machine-readable, `place` names file, row, meter or table, `remedy` says what to do next.
    """

    status = 500
    exit_code = 1

    def __init__(self, message: str, *, code: str, place: str = "", remedy: str = "") -> None:
        """Hold the four parts; `str()` joins them to one readable text."""
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


class NotFound(QuintetError):
    """Nothing of that name in this city."""

    status = 404


class Forbidden(QuintetError):
    """The reader has no right to it."""

    status = 403


class CityError(QuintetError):
    """The city folder cannot be opened or written."""

    status = 503


class Damaged(QuintetError):
    """Stored data fail their digest."""
