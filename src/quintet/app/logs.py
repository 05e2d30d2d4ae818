"""What a served city says of itself: one line an event with a stable name, JSON for machines, text for a terminal.

An event has the fields that EVENTS names and no others: counts, codes and names of doors. No value, meter, place,
source or person can get into a line. Events are found by looking at the facts now and then: commits wait for none.
"""

import sys
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal, TextIO

import structlog

from quintet.terms.errors import CityError

from .door import Failure, guarded
from .metrics_facts import Facts, Observer
from .metrics_watch import watching
from .overheard import Overheard
from .serving_limits import serving_limits

Level = Literal["info", "warning", "error"]

EVENTS: Mapping[str, tuple[Level, frozenset[str]]] = {
    "serving": ("info", frozenset({"last_batch", "open_days"})),
    "committed": ("info", frozenset({"batches", "accepted", "duplicate", "quarantined", "last_batch"})),
    "registry_changed": ("info", frozenset({"batches"})),
    "set_aside": ("info", frozenset({"code", "rows", "open"})),
    "quarantine_full": ("warning", frozenset({"code", "rows"})),
    "field_changed": ("info", frozenset({"change", "fields"})),
    "days_closed": ("info", frozenset({"days", "open_days"})),
    "door": ("info", frozenset({"door", "state"})),
    "door_troubled": ("warning", frozenset({"door", "state", "reason"})),
    "server_warned": ("warning", frozenset({"where", "said", "times"})),
    "server_failed": ("error", frozenset({"where", "said", "times", "error", "remedy"})),
    "turned_away": ("warning", frozenset({"deliveries", "waiting_rows"})),
    "key_reused": ("warning", frozenset({"deliveries"})),
    "commit_failed": ("error", frozenset({"commits"})),
    "disk_low": ("warning", frozenset({"free_bytes"})),
    "watching_failed": ("error", frozenset({"code"})),
    "ended": ("info", frozenset({"last_batch"})),
}
"""Every event: its level, and the fields that its line may have."""


class Log:
    """Writes events to one stream."""

    def __init__(self, stream: TextIO, *, least: Level = "info", text: bool = False) -> None:
        """Write JSON, or text for people; events below `least` are left out."""
        self._stream = stream
        last = structlog.dev.ConsoleRenderer(colors=False) if text else structlog.processors.JSONRenderer()
        self._logger: Any = structlog.wrap_logger(
            structlog.WriteLogger(stream),
            processors=[
                structlog.processors.add_log_level,
                structlog.processors.TimeStamper(fmt="iso", utc=True, key="at"),
                last,
            ],
            wrapper_class=structlog.make_filtering_bound_logger(least),
        )

    def tell(self, event: str, **fields: int | float | str) -> None:
        """Write one event; raises KeyError for one that EVENTS does not know, or a field that it may not have."""
        level, allowed = EVENTS[event]
        strange = fields.keys() - allowed
        if strange:
            raise KeyError(f"{event} may not say {', '.join(sorted(strange))}")
        getattr(self._logger, level)(event, **fields)

    def close(self) -> None:
        """Close a file; leave stderr open."""
        if self._stream is not sys.stderr:
            self._stream.close()


def opened(to: str) -> Log:
    """Open the log of a `serve`: `-` is stderr, a path a file that is added to; "" warns on stderr and says no more."""
    if to in ("", "-"):
        return Log(sys.stderr, least="info" if to else "warning", text=sys.stderr.isatty())
    path = Path(to).expanduser()
    try:
        return Log(path.open("a", encoding="utf-8", buffering=1))
    except OSError as error:
        raise CityError(
            f"cannot be written ({error.strerror}).", code="log_unwritable", place=to, remedy="Name another file."
        ) from error


class Logbook:
    """The thread that looks at the facts now and then, and tells what changed since."""

    def __init__(self, observer: Observer, log: Log, *, every_s: float | None = None) -> None:
        """Tell a log what an observer sees."""
        self._observer, self._log = observer, log
        self._every_s = watching().log_every_s if every_s is None else every_s
        self._before: Facts | None = None
        self._overheard = Overheard()
        self._ending = threading.Event()
        self._thread = threading.Thread(target=self._run, name="logbook", daemon=True)

    def begin(self) -> None:
        """Say that the city is served, and look from now on, also at what the server under it says."""
        self._overheard.begin()
        self._look()
        self._thread.start()

    def end(self) -> None:
        """Say what is left to say, and that this was all."""
        self._ending.set()
        if self._thread.ident is not None:
            self._thread.join()
            self._look(anew=True)
            if self._before is not None:
                self._log.tell("ended", last_batch=self._before.last_batch)
        self._overheard.end()
        self._log.close()

    def _run(self) -> None:
        while not self._ending.wait(self._every_s):
            self._look()

    def _look(self, *, anew: bool = False) -> None:
        """Look once; a look that fails is said, and the next one is taken."""
        for heard in self._overheard.taken():
            self._log.tell("server_failed" if heard.failed else "server_warned", **heard.fields())
        facts = guarded(lambda: self._observer.facts(anew=anew))
        if isinstance(facts, Failure):
            self._log.tell("watching_failed", code=facts.code)
            return
        before, self._before = self._before, facts
        if before is None:
            self._log.tell("serving", last_batch=facts.last_batch, open_days=facts.open_days)
        else:
            self._tell_commits(before, facts)
            self._tell_aside(before, facts)
        self._tell_state(before, facts)

    def _tell_commits(self, before: Facts, facts: Facts) -> None:
        more = {kind: count - before.batches.get(kind, 0) for kind, count in facts.batches.items()}
        rows = {name: facts.rows.get(name, 0) - before.rows.get(name, 0) for name in _OUTCOMES}
        if more.get("readings"):
            self._log.tell("committed", batches=more["readings"], last_batch=facts.last_batch, **rows)
        others = sum(count for kind, count in more.items() if kind != "readings")
        if others:
            self._log.tell("registry_changed", batches=others)
        closed = before.open_days - facts.open_days
        if closed > 0:
            self._log.tell("days_closed", days=closed, open_days=facts.open_days)
        if facts.committer is None:
            return
        told = before.counted
        now = facts.counted
        if now["failures"] > told["failures"]:
            self._log.tell("commit_failed", commits=now["failures"] - told["failures"])
        if now["busy_refusals"] > told["busy_refusals"]:
            turned = now["busy_refusals"] - told["busy_refusals"]
            self._log.tell("turned_away", deliveries=turned, waiting_rows=facts.committer.waiting_rows)
        if now["refused"] > told["refused"]:
            self._log.tell("key_reused", deliveries=now["refused"] - told["refused"])

    def _tell_aside(self, before: Facts, facts: Facts) -> None:
        for code, count in facts.quarantine.items():
            more = count - before.quarantine.get(code, 0)
            if more > 0:
                self._log.tell("set_aside", code=code, rows=more, open=count)
        for code, count in facts.not_kept.items():
            more = count - before.not_kept.get(code, 0)
            if more > 0:
                self._log.tell("quarantine_full", code=code, rows=more)
        for change, count in facts.drift.items():
            more = count - before.drift.get(change, 0)
            if more > 0:
                self._log.tell("field_changed", change=change, fields=more)

    def _tell_state(self, before: Facts | None, facts: Facts) -> None:
        known = {door.name: door.state for door in before.doors} if before else {}
        for door in facts.doors:
            if known.get(door.name) != door.state:
                why = {"reason": door.reason} if door.reason else {}
                if door.state == "up":
                    self._log.tell("door", door=door.name, state=door.state)
                else:
                    self._log.tell("door_troubled", door=door.name, state=door.state, **why)
        if _low(facts) and (before is None or not _low(before)):
            self._log.tell("disk_low", free_bytes=facts.disk_free_bytes)


_OUTCOMES = ("accepted", "duplicate", "quarantined")


def _low(facts: Facts) -> bool:
    limits = serving_limits()
    return facts.disk_free_bytes < min(limits.low_bytes, limits.low_percent / 100 * facts.disk_bytes)
