"""Commands by which a person edits values, and takes an edit back."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

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
    Parameter(
        name="--quality",
        help="Only intervals of this quality now (linear, missing, …); `accept` then keeps those very values.",
    ),
]
Rule = Annotated[str | None, Parameter(name="--rule", help="Only intervals in which this rule found something.")]
DryRun = Annotated[bool, Parameter(name="--dry-run", help="Show what would change, and change nothing.", negative=())]


@Parameter(name="*")
@dataclass(frozen=True, slots=True, kw_only=True)
class Chosen:
    """What every edit of intervals asks: which ones, who says so, and why."""

    start: From
    end: To
    by: By
    reason: Reason
    place: Place = None
    quality: Quality = None
    rule: Rule = None
    dry_run: DryRun = False

    def order(self, action: str, channel: str | None, **more: Any) -> EditMake:
        """Give the request for an action on these intervals; `more` as of EditMake."""
        return EditMake(
            action, self.start, self.end, self.by, self.reason, channel, self.place, self.quality, self.rule,
            dry_run=self.dry_run, **more,
        )  # fmt: skip


def edit_accept(channel: Channel = None, /, *, chosen: Chosen, common: Common | None = None) -> int:
    """Let what was measured stand, whatever rules or edits made of it and whatever arrives later; else what stands."""
    return ask(common, chosen.order("accept", channel))


def edit_reject(channel: Channel = None, /, *, chosen: Chosen, common: Common | None = None) -> int:
    """Let values count no more; they are kept, and what they stood for is missing."""
    return ask(common, chosen.order("reject", channel))


def edit_replace(
    channel: Channel = None,
    /,
    *,
    chosen: Chosen,
    value: Annotated[str | None, Parameter(help="The value of every interval, in the unit that is shown.")] = None,
    values: Annotated[Path | None, Parameter(help="A CSV of start,value: one line for each interval.")] = None,
    common: Common | None = None,
) -> int:
    """Put other values in the place of what stands, or of what is missing."""
    listed = None if values is None else read_values(values)
    return ask(common, chosen.order("replace", channel, value=value, values=listed))


def edit_estimate(
    channel: Channel = None,
    /,
    *,
    chosen: Chosen,
    keep_total: Annotated[
        bool, Parameter(help="What each stretch comes to stays; only its shape is estimated.", negative=())
    ] = False,
    common: Common | None = None,
) -> int:
    """Estimate intervals as if nothing had been measured there; the estimate then stands like any edit."""
    return ask(common, chosen.order("estimate", channel, keep_total=keep_total))


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
