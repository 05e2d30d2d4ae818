"""Commands on what could not be taken."""

from typing import Annotated

from cyclopts import Parameter

from .command_city import actor
from .options import Common, KnownAt, ask
from .requests import (
    QuarantineCount,
    QuarantineDismiss,
    QuarantineDrift,
    QuarantineExplain,
    QuarantineList,
    QuarantineReplay,
)

Source = Annotated[str, Parameter(help="Only what this source sent.")]
Code = Annotated[str, Parameter(help="Only rows with this reason, such as unregistered_meter.")]
Limit = Annotated[int, Parameter(help="At most this many rows, newest first.")]
LIST = "`quintet quarantine list`"


def quarantine_list(
    *,
    limit: Limit = 100,
    source: Source = "",
    code: Code = "",
    state: Annotated[str, Parameter(help="open, taken, dismissed or any.")] = "open",
    before: Annotated[int | None, Parameter(help="Go on below this id: the next page.")] = None,
    known_at: KnownAt = None,
    common: Common | None = None,
) -> int:
    """List what could not be taken, and why."""
    return ask(common, QuarantineList(limit, source, code, state, before, known_at))


def quarantine_explain(
    row: Annotated[int, Parameter(name="ID", help=f"A row of {LIST}.")],
    /,
    *,
    original: Annotated[
        bool, Parameter(help="Show the original whole, however long; JSON always has it.", negative=())
    ] = False,
    known_at: KnownAt = None,
    common: Common | None = None,
) -> int:
    """Say why one row was set aside and what to do, with the original."""
    return ask(common, QuarantineExplain(row, original, known_at))


def quarantine_count(*, known_at: KnownAt = None, common: Common | None = None) -> int:
    """Count what waits in quarantine, per source and reason."""
    return ask(common, QuarantineCount(known_at))


def quarantine_replay(
    rows: Annotated[list[int] | None, Parameter(name="ID", help=f"Rows of {LIST}; none: all.", negative=())] = None,
    /,
    *,
    source: Source = "",
    code: Code = "",
    common: Common | None = None,
) -> int:
    """Try rows again after the cause was mended; what is taken becomes readings, the rest stays.

    A second run changes nothing. A reading that came later for the same moment stands.
    """
    return ask(common, QuarantineReplay(source, code, rows or [], actor()))


def quarantine_dismiss(
    rows: Annotated[list[int], Parameter(name="ID", help=f"Rows of {LIST}.", negative=())],
    /,
    *,
    reason: Annotated[str, Parameter(help="Why nobody needs them.")],
    common: Common | None = None,
) -> int:
    """Say of rows that nobody needs them: they are kept, and no longer counted."""
    return ask(common, QuarantineDismiss(rows, reason, actor()))


def quarantine_drift(
    *, limit: Limit = 100, source: Source = "", known_at: KnownAt = None, common: Common | None = None
) -> int:
    """List fields that are new, renamed, retyped or gone in what a source sends."""
    return ask(common, QuarantineDrift(limit, source, known_at))
