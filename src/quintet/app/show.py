"""Prints answers: data on stdout as a table, JSON or CSV; progress and notes on stderr."""

import csv
import sys
from decimal import Decimal, InvalidOperation
from types import TracebackType

import msgspec
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TaskID, TextColumn, TimeElapsedColumn
from rich.table import Table
from rich.text import Text

from .answer import Answer, Step
from .settings import Format

TABLE_PLACES = 3
"""Decimal places in tables for people; JSON and CSV keep every digit."""
WIDE = 10_000
"""Columns of a "terminal" that is none: nothing is cut or wrapped."""


def show(answer: Answer, form: Format) -> None:
    """Print one answer on stdout, its notes on stderr."""
    if form == "json":
        text = msgspec.json.format(answer.document, indent=2 if sys.stdout.isatty() else 0)
        sys.stdout.write(text.decode() + "\n")
    elif form == "csv":
        writer = csv.writer(sys.stdout, lineterminator="\n")
        writer.writerow(answer.columns)
        writer.writerows([["" if cell is None else cell for cell in row] for row in answer.rows])
    else:
        _print_table(answer)
    sys.stdout.flush()
    for note in answer.notes:
        say(note)


def say(text: str) -> None:
    """Print one line for the person, on stderr."""
    sys.stderr.write(f"{text}\n")
    sys.stderr.flush()


def for_people(cell: str) -> str:
    """Write a decimal for a table: thousands separated, at most TABLE_PLACES places, no trailing zeros."""
    try:
        number = Decimal(cell)
    except InvalidOperation:
        return cell
    rounded = round(number, TABLE_PLACES)
    text = f"{rounded:,f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def _print_table(answer: Answer) -> None:
    table = Table(title=answer.title or None, title_justify="left", header_style="bold", box=None, pad_edge=False)
    numeric = [name in answer.numbers for name in answer.columns]
    for name, is_number in zip(answer.columns, numeric, strict=True):
        table.add_column(name, justify="right" if is_number else "left", overflow="fold")
    for row in answer.rows:
        cells = zip(row, numeric, strict=True)
        table.add_row(*[Text("–" if c is None else for_people(c) if n else c) for c, n in cells])
    console = Console(soft_wrap=False) if sys.stdout.isatty() else Console(width=WIDE, highlight=False)
    with console.capture() as captured:
        console.print(table)
    sys.stdout.write("\n".join(line.rstrip() for line in captured.get().splitlines()) + "\n")


class Meterstick:
    """Progress on stderr while work runs; silent where stderr is no terminal."""

    def __init__(self) -> None:
        """Prepare; nothing is drawn before the first step."""
        self._bars = Progress(
            SpinnerColumn(),
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            console=Console(stderr=True),
            transient=True,
            disable=not sys.stderr.isatty(),
        )
        self._tasks: dict[str, TaskID] = {}

    def __enter__(self) -> "Meterstick":
        """Begin."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Clear the lines."""
        self._bars.stop()

    def __call__(self, step: Step) -> None:
        """Draw one step."""
        if self._bars.disable:
            return
        if step.what not in self._tasks:
            self._bars.start()
            self._tasks[step.what] = self._bars.add_task(step.what, total=step.total)
        self._bars.update(self._tasks[step.what], completed=step.done, total=step.total)

    def clear(self) -> None:
        """Take the lines off the screen before an answer is printed."""
        self._bars.stop()
