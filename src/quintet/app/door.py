"""The door between the program and people: every failure becomes one clear sentence, never a traceback.

This is the only place that catches everything: what nobody foresaw is written to a log, and the log is named.
"""

import os
import tempfile
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TypeVar

from quintet import __version__
from quintet.store.trouble import from_engine_error, from_os_error
from quintet.terms.errors import CityError, QuintetError

Result = TypeVar("Result")


@dataclass(frozen=True, slots=True)
class Failure:
    """A failure in words: what a QuintetError holds, fit for a socket."""

    message: str
    code: str
    place: str = ""
    remedy: str = ""
    exit_code: int = 1

    def line(self) -> str:
        """Give the one line that a person reads."""
        where = f"{self.place}: " if self.place else ""
        then = f" {self.remedy}" if self.remedy else ""
        return " ".join(f"{where}{self.message}{then}".split())


class Failed(QuintetError):
    """A failure that an owner reported: raised again on the side of the person who asked."""

    def __init__(self, failure: Failure) -> None:
        """Take over the four parts and the exit code."""
        super().__init__(failure.message, code=failure.code, place=failure.place, remedy=failure.remedy)
        self.exit_code = failure.exit_code


def _log(error: BaseException) -> str:
    """Write the traceback to a private file and give its path, empty when even that cannot be written."""
    stamp = datetime.now(UTC).strftime("%Y%m%dT%H%M%SZ")
    try:
        handle, name = tempfile.mkstemp(prefix=f"quintet-error-{stamp}-", suffix=".log", text=True)
        with os.fdopen(handle, "w", encoding="utf-8") as log:
            log.write(f"quintet {__version__}\n")
            log.write("".join(traceback.format_exception(error)))
    except OSError:
        return ""
    return str(Path(name))


def explain(error: Exception) -> Failure:
    """Turn any error into words; what nobody foresaw goes to a log."""
    if isinstance(error, QuintetError):
        known: QuintetError | None = error
    elif isinstance(error, OSError):
        known = from_os_error(error)
    elif isinstance(error, MemoryError):
        known = CityError("there is not enough memory.", code="out_of_memory", remedy="Ask for a shorter period.")
    else:
        known = from_engine_error(error)
    if known is not None:
        return Failure(known.message, known.code, known.place, known.remedy, known.exit_code)
    log = _log(error)
    where = f"The details are in {log}; please report them." if log else "The details could not be written to a log."
    return Failure(f"something unforeseen went wrong ({type(error).__name__}: {error}).", "unexpected", "", where)


def guarded(work: Callable[[], Result]) -> Result | Failure:
    """Run work; give its result, or its failure in words: the one place where nothing may pass."""
    try:
        return work()
    except Exception as error:  # noqa: BLE001
        return explain(error)
