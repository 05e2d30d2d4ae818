"""What stands behind the address for edits: the same operations as the commands have, each in its turn."""

from quintet.ingest.http_edits import BehindEdits, EditOrder, UndoOrder

from .answer import no_progress
from .answers_edits import edit_list, edit_make, edit_undo
from .city import City
from .requests import EditList, EditMake, EditUndo
from .turns import Turns


def edits_behind(city: City, turns: Turns, patience_s: float) -> BehindEdits:
    """Give what makes, undoes and lists edits of an open city; who waits longer than `patience_s` is turned away."""

    def make(order: EditOrder, source: str) -> bytes:
        asked = EditMake(
            order.action, order.start, order.end, order.by, order.reason, order.channel, order.place, order.quality,
            order.rule, None if order.value is None else str(order.value),
            None if order.values is None else [(one.start, str(one.value)) for one in order.values],
            order.keep_total, order.dry_run, source,
        )  # fmt: skip
        with turns.mine(patience_s):
            return edit_make(city, asked, no_progress).document

    def undo(number: int, order: UndoOrder, source: str) -> bytes:
        with turns.mine(patience_s):
            asked = EditUndo(number, order.by, order.reason, order.dry_run, source)
            return edit_undo(city, asked, no_progress).document

    def listed(limit: int, before: int | None, channel: str | None, known_at: str | None) -> bytes:
        return edit_list(city, EditList(limit, before, channel, known_at), no_progress).document

    return BehindEdits(city.tokens.admit, make, undo, listed)
