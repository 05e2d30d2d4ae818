"""What a door needs of the pipeline: take a list of meters, take a city's settings, commit readings. Nothing else."""

from collections.abc import Callable, Iterable
from typing import Protocol

import pyarrow as pa

from quintet.pipeline.commit import Receipt, RegisterReceipt

Progress = Callable[[int], None]
"""Told after each stretch how many rows it had, good and bad."""


class Door(Protocol):
    """The write path as a door sees it. When a call returns, what it counts is durable."""

    def register(
        self,
        meters: pa.Table,
        *,
        settings: dict[str, object] | None = None,
        mapping: pa.Table | None = None,
        source: str,
        actor: str,
    ) -> RegisterReceipt:
        """Take a list of meters, and a city's settings and a map with it; meters it cannot take are quarantined."""
        ...

    def describe(self, settings: dict[str, object], *, source: str, actor: str) -> int:
        """Take a city's settings alone; give the number of new statements."""
        ...

    def commit(
        self, parts: Iterable[tuple[pa.Table, pa.Table]], *, source: str, actor: str, progress: Progress | None = None
    ) -> Receipt:
        """Commit readings and what was set aside (READINGS, QUARANTINE) as one batch; inside it order never matters."""
        ...
