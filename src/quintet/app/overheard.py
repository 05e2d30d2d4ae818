"""What the server under the site says, as events: its own lines would stand as plain text in a log of JSON.

Only the first line of a message is kept, which is the programmer's and names nobody, and how often it was said; what
nobody foresaw goes to a private file, as everywhere.
"""

import logging
import threading
from dataclasses import dataclass

from quintet.terms.errors import QuintetError

from .door import explain

LOGGERS = ("uvicorn.error", "asyncio")
MOST = 32
"""So many different things are told between two looks; more are alike or would fill the log."""


@dataclass(slots=True)
class Heard:
    """One thing that was said, so many times; `error` and `remedy` where it was a failure."""

    where: str
    said: str
    failed: bool
    error: str = ""
    remedy: str = ""
    times: int = 0

    def fields(self) -> dict[str, int | str]:
        """Give what its line says."""
        words = {name: getattr(self, name) for name in ("error", "remedy") if getattr(self, name)}
        return {"where": self.where, "said": self.said, "times": self.times, **words}


class Overheard(logging.Handler):
    """Listens to the loggers of the server and its loop between `begin` and `end`; may be told by any thread."""

    def __init__(self) -> None:
        """Have heard nothing."""
        super().__init__(logging.WARNING)
        self._turn = threading.Lock()
        self._heard: dict[tuple[str, str, str], Heard] = {}

    def begin(self) -> None:
        """Listen."""
        for name in LOGGERS:
            logging.getLogger(name).addHandler(self)

    def end(self) -> None:
        """Listen no longer."""
        for name in LOGGERS:
            logging.getLogger(name).removeHandler(self)

    def emit(self, record: logging.LogRecord) -> None:
        """Take in one message; a failure's traceback is kept the first time."""
        error = record.exc_info[1] if record.exc_info else None
        said = str(record.msg).strip().partition("\n")[0]
        key = (record.name, said, type(error).__name__)
        with self._turn:
            heard = self._heard.get(key)
            if heard is None:
                if len(self._heard) >= MOST:
                    return
                heard = self._heard[key] = _heard(record, said, error)
            heard.times += 1

    def taken(self) -> list[Heard]:
        """Give what was heard since the last time."""
        with self._turn:
            out, self._heard = list(self._heard.values()), {}
        return out


def _heard(record: logging.LogRecord, said: str, error: BaseException | None) -> Heard:
    failed = record.levelno >= logging.ERROR
    if not isinstance(error, Exception):
        return Heard(record.name, said, failed)
    failure = explain(error)
    name = failure.code if isinstance(error, QuintetError) else type(error).__name__
    return Heard(record.name, said, failed, name, "" if isinstance(error, QuintetError) else failure.remedy)
