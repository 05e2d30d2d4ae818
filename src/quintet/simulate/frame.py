"""One site's readings of one day as matrices [channel, boundary], and what faults do to them.

Column k belongs to the k-th quarter-hour boundary of the day: a register's reading at that moment, an interval meter's
sum from there to the next. Values are whole display steps until they leave as decimals. Effects are looked up by the
fault's kind; none of them knows how faults are found.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from quintet.terms.period import MICROSECONDS

from .demand import Day
from .faults import Fault
from .layout import Site
from .plan import Floats, Ints

FOREVER_US = 2**62
Mask = npt.NDArray[np.bool_]


@dataclass
class Channels:
    """A site's meters, sorted by name: the row each stands on, its name's code, its life, and the count it adds to.

    A meter shows floor((offset + use of its row since the plan's start) / step).
    """

    row: npt.NDArray[np.intp]
    name: npt.NDArray[np.int32]
    since_us: Ints
    until_us: Ints
    offset: Floats
    first: npt.NDArray[np.intp]
    """The channel of each row's first meter."""

    @property
    def plain(self) -> bool:
        """Whether channels and rows are the same."""
        return len(self.row) == len(self.first)


@dataclass
class Frame:
    """A day's readings of a site: steps, stamps, which of them arrive in time, and which arrive late on which day.

    Its rows are the meters that stand there that day: `channel` says which of the site's, `name` how they are called.
    """

    steps: Floats
    stamps: Ints
    keep: Mask
    register: Mask
    per_unit: Floats
    name: npt.NDArray[np.int32]
    channel: npt.NDArray[np.intp]
    late: list[tuple[int, slice, int]] = field(default_factory=list[tuple[int, slice, int]])

    def columns(self, keep: Mask) -> tuple[npt.NDArray[np.int32], Ints, Floats]:
        """Give name codes, stamps and values (display units) of the kept readings, in order."""
        counts = keep.sum(axis=1)
        self.steps /= self.per_unit[:, None]
        return np.repeat(self.name, counts), self.stamps[keep], self.steps[keep]

    def late_on(self, day: int) -> Mask:
        """Mark the readings that arrive on a later day."""
        mask = np.zeros_like(self.keep)
        for channel, span, arrival in self.late:
            if arrival == day:
                mask[channel, span] = True
        return mask


def make_frame(site: Site, channels: Channels, day: Day, opened: Floats, use: Floats, *, first_day: bool) -> Frame:
    """Show a day's use on the meters that stood there, without faults.

    `opened` is each row's use before the day, `use` since then [row, n + 1], both sub-units.
    """
    edges = day.edges
    here = np.flatnonzero((channels.since_us <= edges[-1]) & (channels.until_us >= edges[0]))
    row = channels.row[here]
    register = site.register[row]
    counts = use[row] if len(here) != len(site.rows) or not channels.plain else use
    steps = counts + (channels.offset[here] + opened[row])[:, None]
    steps /= site.step[row][:, None]
    np.floor(steps, out=steps)
    over = np.flatnonzero(steps[:, -1] >= site.wrap[row])
    steps[over] %= site.wrap[row[over]][:, None]
    sums = np.flatnonzero(~register)
    steps[sums, :-1] = np.diff(steps[sums], axis=1)
    keep = np.ones(steps.shape, np.bool_)
    keep[:, 0] = ~register | first_day
    keep[sums, -1] = False
    stamps = np.tile(edges, (len(here), 1))
    born, gone = channels.since_us[here], channels.until_us[here]
    for c in np.flatnonzero((born > edges[0]) | (gone < edges[-1])):
        ends = edges <= gone[c] if register[c] else edges < gone[c]
        keep[c] &= (edges >= born[c]) & ends
        if register[c] and born[c] == edges[0]:
            keep[c, 0] = True
    return Frame(steps, stamps, keep, register, site.per_unit[row], channels.name[here], here)


@dataclass(frozen=True, slots=True)
class Hit:
    """A fault on a frame: its channel's row there, the columns [low, high) whose stamps it concerns, what was held."""

    fault: Fault
    channel: int
    low: int
    high: int
    held: float

    @property
    def span(self) -> slice:
        """The columns concerned."""
        return slice(self.low, self.high)


def _missing(frame: Frame, hit: Hit) -> None:
    """Lose the readings."""
    frame.keep[hit.channel, hit.span] = False


def _outage(frame: Frame, hit: Hit) -> None:
    """Keep the readings back; an interval meter then tells them in one lump."""
    if not frame.register[hit.channel]:
        frame.steps[hit.channel, hit.high] += frame.steps[hit.channel, hit.span].sum()
    _missing(frame, hit)


def _spike(frame: Frame, hit: Hit) -> None:
    """Add to one reading."""
    frame.steps[hit.channel, hit.span] += np.rint(hit.fault.magnitude * frame.per_unit[hit.channel])


def _hold(frame: Frame, hit: Hit) -> None:
    """Show the last reading on and on."""
    frame.steps[hit.channel, hit.span] = hit.held


def _drift(frame: Frame, hit: Hit) -> None:
    """Stamp ever later, by whole seconds."""
    stamps = frame.stamps[hit.channel, hit.span]
    share = (stamps - hit.fault.start_us) / (hit.fault.end_us - hit.fault.start_us)
    frame.stamps[hit.channel, hit.span] = stamps + np.rint(share * hit.fault.magnitude).astype(np.int64) * MICROSECONDS


def _late(frame: Frame, hit: Hit) -> None:
    """Let the readings arrive on a later day."""
    frame.late.append((hit.channel, hit.span, hit.fault.day + int(hit.fault.magnitude)))
    _missing(frame, hit)


Effect = Callable[[Frame, Hit], None]
EFFECTS: Mapping[str, Effect] = {
    "gap": _missing,
    "outage": _outage,
    "spike": _spike,
    "stuck": _hold,
    "dead": _hold,
    "drift": _drift,
    "late": _late,
}
"""What happens to readings. Leaks really flow (see `demand`); exchanges and rollovers are in the channels."""
HOLDING = frozenset(kind for kind, effect in EFFECTS.items() if effect is _hold)


def inject(frame: Frame, channels: Channels, day: Day, faults: list[Fault], held: Callable[[Fault], float]) -> None:
    """Apply a day's faults of a site; `held` gives the reading before a fault that began on an earlier day."""
    for fault in faults:
        effect = EFFECTS.get(fault.kind)
        if effect is None:
            continue
        low, high = np.searchsorted(day.edges, [fault.start_us, fault.end_us]).tolist()
        channel = int(np.searchsorted(frame.channel, channels.first[fault.row]))
        last = 0.0
        if fault.kind in HOLDING:
            last = float(frame.steps[channel, low - 1]) if fault.start_us > day.edges[0] else held(fault)
        effect(frame, Hit(fault, channel, low, high, last))
