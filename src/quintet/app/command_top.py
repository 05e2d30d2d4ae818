"""`top`: the city's owner at work, on a terminal: asked anew each second over its socket."""

import signal
import sys
import threading
from typing import Annotated, Any

from cyclopts import Parameter
from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.table import Table
from rich.text import Text

from .answer import Answer, no_progress
from .options import Common, ask, chosen_format
from .requests import Status
from .run import run
from .serving_limits import serving_limits
from .settings import city_folder

SHORTEST_S = 0.2
INTERRUPTED = 128 + signal.SIGINT


def top(
    *,
    every: Annotated[float, Parameter(help="Seconds between two looks.")] = 1.0,
    once: Annotated[bool, Parameter(help="Look once and end.", negative=())] = False,
    common: Common | None = None,
) -> int:
    """Watch the city's owner at work until Ctrl-C; once where stdout is no terminal."""
    if once or not sys.stdout.isatty() or chosen_format(common) != "table":
        return ask(common, Status())
    folder = city_folder(common.city if common else None)
    newest: list[Answer] = []
    ended = threading.Event()
    # a flag, for an exception that comes while a library is at work may be swallowed there
    before = signal.signal(signal.SIGINT, lambda *_: ended.set())
    # a command that owns the city itself would see nobody at work: it is asked, and says so by its empty doors
    try:
        with Live(console=Console(), screen=True, auto_refresh=False) as live:
            while not ended.wait(max(every, SHORTEST_S) if newest else 0.0):
                newest.clear()
                run(folder, Status(), no_progress, newest.append)
                live.update(drawn(newest[-1].read(), str(folder)), refresh=True)
    finally:
        signal.signal(signal.SIGINT, before)
    return INTERRUPTED


def drawn(document: dict[str, Any], title: str) -> RenderableType:
    """Draw one look: a line of state, then rates, doors, staleness, quarantine and the newest commits."""
    head = Text.assemble(
        ("quintet top  ", "bold"), title, f"   {document['now'][:19]}   batch {document['last_batch']:,}"
    )
    side = Table.grid(padding=(0, 4))
    side.add_row(_flow(document), _doors(document))
    lower = Table.grid(padding=(0, 4))
    lower.add_row(_staleness(document["staleness"]), _quarantine(document))
    return Group(head, Text(), side, Text(), lower, Text(), _commits(document["commits"]))


def age(seconds: float | None) -> str:
    """Write an age as a person says it."""
    if seconds is None:
        return "–"
    for length, unit in ((86_400, "d"), (3_600, "h"), (60, "min")):
        if abs(seconds) >= 2 * length:
            return f"{seconds / length:.1f} {unit}"
    return f"{seconds:.1f} s"


def _plain(title: str, *columns: str) -> Table:
    """Begin a table whose first column is words and whose others are numbers."""
    table = Table(title=title, title_justify="left", title_style="bold", box=None, pad_edge=False, header_style="dim")
    for number, name in enumerate(columns):
        table.add_column(name, justify="right" if number else "left")
    return table


def _flow(document: dict[str, Any]) -> Table:
    table = _plain("Flow", "", "")
    for window, rate in document["rates"].items():
        table.add_row(f"readings/s, {window} s", f"{rate['readings_a_second']:,.0f}")
        table.add_row(f"commits/s, {window} s", f"{rate['commits_a_second']:,.1f}")
    stats = document["committer"]
    if stats:
        table.add_row("waiting readings", f"{stats['waiting_rows']:,}")
        table.add_row("mean commit", f"{stats['mean_commit_ms']:,.1f} ms")
        bad = stats["failures"]
        table.add_row("failed commits", Text(f"{bad:,}", "bold red" if bad else ""))
        table.add_row("turned away", f"{stats['busy_refusals']:,}")
    table.add_row("newest reading", f"{age(document['newest_reading_age_s'])} ago")
    table.add_row("last commit", f"{age(document['last_commit_age_s'])} ago")
    return table


def _doors(document: dict[str, Any]) -> Table:
    table = _plain("Doors", "", "accepted", "duplicate", "set aside")
    stats = document["committer"]
    for name in sorted(stats.get("deliveries", {})):
        counts = [stats[part].get(name, 0) for part in ("accepted", "duplicate", "quarantined")]
        table.add_row(name, *(f"{count:,}" for count in counts))
    for door in document["doors"]:
        fine = door["state"] == "up"
        why = f", {door['reason']}" if door["reason"] else ""
        table.add_row(Text(f"{door['name']}: {door['state']}{why}", "green" if fine else "bold red"), "", "", "")
    if document["listeners"] is not None:
        table.add_row(f"live listeners: {document['listeners']:,}", "", "", "")
    if not stats:
        table.add_row("nobody serves this city", "", "", "")
    low = serving_limits().low_percent / 100
    free = document["disk_free_bytes"] / max(1, document["disk_bytes"])
    table.add_row(Text(f"disk free: {document['disk_free_bytes'] / 1e9:,.1f} GB", "bold red" if free < low else ""))
    table.add_row(f"open days: {document['open_days']}")
    return table


def _staleness(groups: list[dict[str, Any]]) -> Table:
    steps = list(groups[0]["late"]) if groups else []
    table = _plain("Late by cadences", "commodity, meters", "channels", "silent", *(f">= {step}" for step in steps))
    for one in groups:
        heard = max(1, one["channels"] - one["never"])
        shares = [f"{one['late'][step] / heard:.1%}" for step in steps]
        label = f"{one['commodity']}, {one['meter_class'].replace('_', ' ')}"
        table.add_row(label, f"{one['channels']:,}", f"{one['never']:,}", *shares)
    return table


def _quarantine(document: dict[str, Any]) -> Table:
    table = _plain("Quarantine", "code", "open")
    for code, count in sorted(document["quarantine"].items(), key=lambda pair: -pair[1])[:8]:
        table.add_row(code, f"{count:,}")
    if not document["quarantine"]:
        table.add_row("nothing", "")
    if document["drift"]:
        table.add_row(Text("fields that changed", "yellow"), f"{sum(document['drift'].values()):,}")
    return table


def _commits(commits: list[dict[str, Any]]) -> Table:
    table = _plain("Newest commits", "at", "batch", "door", "accepted", "duplicate", "set aside")
    for one in commits:
        counts = [f"{one[name]:,}" for name in ("accepted", "duplicate", "quarantined")]
        table.add_row(one["at"][11:23], f"{one['batch']:,}", f"{one['kind']}, {one['actor']}", *counts)
    return table
