"""Commands by which a person edits values, and takes an edit back."""

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from .edit_values import read_values
from .options import Common, From, KnownAt, To, ask
from .requests import EditList, EditMake, EditUndo

Channel = Annotated[
    str | None, Parameter(name="CHANNEL", help="A channel, or a pattern such as 'tower-3/*'; none: all of --place.")
]
By = Annotated[str, Parameter(name="--by", help="The name of who edits.")]
Reason = Annotated[str, Parameter(name="--reason", help="Why: it is kept, and shown wherever the edit is.")]
Place = Annotated[str | None, Parameter(name="--place", help="Only channels at this place and below.")]
Quality = Annotated[
    str | None,
    Parameter(name="--quality", help="Only intervals that have this quality now, such as linear; or missing."),
]
Rule = Annotated[str | None, Parameter(name="--rule", help="Only intervals in which this rule found something.")]
DryRun = Annotated[bool, Parameter(name="--dry-run", help="Show what would change, and change nothing.", negative=())]


def edit_accept(
    channel: Channel = None,
    /,
    *,
    start: From,
    end: To,
    by: By,
    reason: Reason,
    place: Place = None,
    quality: Quality = None,
    rule: Rule = None,
    dry_run: DryRun = False,
    common: Common | None = None,
) -> int:
    """Let values stand as they are, whatever arrives later."""
    return ask(common, EditMake("accept", start, end, by, reason, channel, place, quality, rule, dry_run=dry_run))


def edit_reject(
    channel: Channel = None,
    /,
    *,
    start: From,
    end: To,
    by: By,
    reason: Reason,
    place: Place = None,
    quality: Quality = None,
    rule: Rule = None,
    dry_run: DryRun = False,
    common: Common | None = None,
) -> int:
    """Let values count no more; they are kept, and what they stood for is missing."""
    return ask(common, EditMake("reject", start, end, by, reason, channel, place, quality, rule, dry_run=dry_run))


def edit_replace(
    channel: Channel = None,
    /,
    *,
    start: From,
    end: To,
    by: By,
    reason: Reason,
    value: Annotated[str | None, Parameter(help="The value of every interval, in the unit that is shown.")] = None,
    values: Annotated[Path | None, Parameter(help="A CSV of start,value: one line for each interval.")] = None,
    place: Place = None,
    quality: Quality = None,
    rule: Rule = None,
    dry_run: DryRun = False,
    common: Common | None = None,
) -> int:
    """Put other values in the place of what stands, or of what is missing."""
    listed = None if values is None else read_values(values)
    request = EditMake("replace", start, end, by, reason, channel, place, quality, rule, value, listed, dry_run=dry_run)
    return ask(common, request)


def edit_estimate(
    channel: Channel = None,
    /,
    *,
    start: From,
    end: To,
    by: By,
    reason: Reason,
    keep_total: Annotated[
        bool, Parameter(help="What each stretch comes to stays; only its shape is estimated.", negative=())
    ] = False,
    place: Place = None,
    quality: Quality = None,
    rule: Rule = None,
    dry_run: DryRun = False,
    common: Common | None = None,
) -> int:
    """Estimate intervals as if nothing had been measured there; the estimate then stands like any edit."""
    request = EditMake(
        "estimate", start, end, by, reason, channel, place, quality, rule, keep_total=keep_total, dry_run=dry_run
    )
    return ask(common, request)


def edit_undo(
    edit: Annotated[int, Parameter(name="ID", help="An edit of `quintet edit list`.")],
    /,
    *,
    by: By,
    reason: Reason,
    dry_run: DryRun = False,
    common: Common | None = None,
) -> int:
    """Take an edit back: what the readings give stands again, with what has arrived since."""
    return ask(common, EditUndo(edit, by, reason, dry_run))


def edit_list(
    *,
    limit: Annotated[int, Parameter(help="At most this many, newest first.")] = 100,
    before: Annotated[int | None, Parameter(help="Go on below this id: the next page.")] = None,
    channel: Annotated[str | None, Parameter(help="Only edits of this channel.")] = None,
    known_at: KnownAt = None,
    common: Common | None = None,
) -> int:
    """List the edits: who changed what, when and why."""
    return ask(common, EditList(limit, before, channel, known_at))
