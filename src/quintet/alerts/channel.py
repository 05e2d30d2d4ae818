"""What every way of telling has in common: a parcel goes out, and it is known or not how that ended."""

from dataclasses import dataclass
from typing import Literal, Protocol

from quintet.access.telling import Notice, Target

End = Literal["sent", "later", "refused", "gone"]


@dataclass(frozen=True, slots=True)
class Parcel:
    """What goes to one target at once: one notice, or several as a digest.

    `id` stays the same when it is sent again, so that who receives it can tell. `stop` is an address at which who gets
    it ends it; empty where there is none.
    """

    id: str
    notices: tuple[Notice, ...]
    language: str
    title: str
    at_us: int
    city: str
    home: str
    stop: str

    @property
    def urgent(self) -> bool:
        """Whether anything in it is."""
        return any(notice.urgent for notice in self.notices)


@dataclass(frozen=True, slots=True)
class Outcome:
    """How sending ended: `gone`: that target is no more; `refused`: this message never will be taken."""

    end: End
    reason: str = ""
    after_s: int = 0


SENT = Outcome("sent")


class Channel(Protocol):
    """A way of telling."""

    def send(self, target: Target, parcel: Parcel) -> Outcome:
        """Send a parcel; may take some seconds. Called from several threads at once."""
        ...
