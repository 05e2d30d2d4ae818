"""What an operation gives back: the same here and through the owner's socket.

The owner writes every number as exact text, so that nothing is rounded on the way to a person or a script.
"""

from collections.abc import Callable
from typing import Any

import msgspec


class Answer(msgspec.Struct, frozen=True):
    """Columns and rows for people and CSV, a JSON document for scripts.

    Cells are text, None where nothing is known. `numbers` names the columns that hold decimals. `notes` are sentences
    for stderr. `exit_code` is what a command ends with (1 when a check found an error).
    """

    columns: list[str]
    rows: list[list[str | None]]
    document: bytes
    numbers: list[str] = []
    title: str = ""
    notes: list[str] = []
    exit_code: int = 0

    def read(self) -> Any:
        """Give the document as plain objects (its decimals become floats: for tests and pages, not for sums)."""
        return msgspec.json.decode(self.document)


class Step(msgspec.Struct, frozen=True):
    """How far long work has come: `done` of `total` (None: unknown) of `what`."""

    what: str
    done: int = 0
    total: int | None = None


Progress = Callable[[Step], None]
"""Told how far long work is; may raise to end the work when nobody waits for it any more."""

_ENCODER = msgspec.json.Encoder(decimal_format="number")


def document_of(content: Any) -> bytes:
    """Encode plain objects to JSON; decimals become numbers with every digit kept."""
    return _ENCODER.encode(content)


def no_progress(_: Step) -> None:
    """Tell nobody."""
