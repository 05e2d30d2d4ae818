"""The newest days in memory: what people look at most is answered without a query, while readings pour in.

A cache of what is committed, never the truth: it is filled from the store when a city is opened, and every commit is
taken in after it is durable. One sheet holds a local day of all channels of one grid: rows channels, columns intervals.
"""

import threading
from dataclasses import dataclass, field
from zoneinfo import ZoneInfo

import numpy as np
import numpy.typing as npt

from quintet.terms.period import day_numbers, day_of_number, day_start, to_us
from quintet.terms.quality import qualities

I64 = npt.NDArray[np.int64]
I32 = npt.NDArray[np.int32]
U8 = npt.NDArray[np.uint8]

OUTRANKING_IDS = np.zeros(256, np.bool_)
"""Marks the qualities of highest rank, by id."""
TOP_RANK = max(quality.rank for quality in qualities().values())
for _quality in qualities().values():
    OUTRANKING_IDS[_quality.id] = _quality.rank == TOP_RANK
UNDONE = qualities()["edit_withdrawn"].id
KEPT_DAYS = 4
"""Today, and the three days that a reading on the long way may be compared with (settle): 17,000 households of five
utilities at 15 min take 74 MB a day."""
KEPT_SUMS = 62
"""Days of daily sums: this month and the one before; 1.4 MB a day for the same city."""
AT_ONCE = 10_000
"""Rows taken in before a reader may look again: less than a millisecond."""


@dataclass
class Sheet:
    """One local day on one grid. `row_of` gives a channel's row, -1 for none; quality 0 is a missing interval."""

    start_us: int
    cadence_us: int
    columns: int
    row_of: I32 = field(default_factory=lambda: np.full(0, -1, np.int32))
    value: I64 = field(init=False)
    quality: U8 = field(init=False)

    def __post_init__(self) -> None:
        """Hold no channels yet."""
        self.value = np.zeros((0, self.columns), np.int64)
        self.quality = np.zeros((0, self.columns), np.uint8)

    def cells(self, channel: I32, start_us: I64) -> I64:
        """Give the places of intervals, counted row after row; all of the channels have a row."""
        return self.row_of[channel] * np.int64(self.columns) + (start_us - self.start_us) // self.cadence_us

    def put(self, cells: I64, value: I64, quality: U8) -> None:
        """Write intervals into their places; an edit stands in the store whatever is derived later, and so here.

        An undone edit leaves its place empty, for what the evidence gives.
        """
        flat, flat_quality = self.value.reshape(-1), self.quality.reshape(-1)
        stands = ~OUTRANKING_IDS[quality] & OUTRANKING_IDS[flat_quality[cells]]
        if stands.any():
            cells, value, quality = cells[~stands], value[~stands], quality[~stands]
        flat[cells], flat_quality[cells] = value, np.where(quality == UNDONE, 0, quality)

    def lacks(self, channels: I32) -> bool:
        """Tell whether some channel has no row yet."""
        return int(channels.max()) >= len(self.row_of) or bool((self.row_of[channels] < 0).any())

    def grown(self, channels: I32) -> tuple[I32, I64, U8]:
        """Give `row_of`, `value` and `quality` with room for more channels; pages that nobody writes take no memory."""
        row_of = np.full(max(int(channels.max()) + 1, len(self.row_of)), -1, np.int32)
        row_of[: len(self.row_of)] = self.row_of
        new = channels[row_of[channels] < 0]
        held = len(self.value)
        row_of[new] = np.arange(held, held + len(new), dtype=np.int32)
        value = np.zeros((held + len(new), self.columns), np.int64)
        quality = np.zeros(value.shape, np.uint8)
        value[:held], quality[:held] = self.value, self.quality
        return row_of, value, quality


class Recent:
    """Effective intervals of the newest local days, and daily sums of some more, by channel number."""

    def __init__(self, tz: ZoneInfo) -> None:
        """Hold nothing yet; days are those of the city's clock."""
        self._tz = tz
        self._lock = threading.Lock()
        self._sheets: dict[tuple[int, int, int], Sheet] = {}
        self._sums: dict[int, I64] = {}
        self.newest = self.since = -(2**31)

    def set_clock(self, tz: ZoneInfo) -> None:
        """Take days by another clock, while nothing is held."""
        self._tz = tz

    @property
    def first_day(self) -> int:
        """The oldest local day (by number) that is held; none before `since`, where the store could not be read."""
        return max(self.newest - KEPT_DAYS + 1, self.since)

    def take_intervals(
        self, channel: I32, start_us: I64, value: I64, quality: U8, cadence_us: I64, phase_us: I64
    ) -> None:
        """Take in effective intervals; quality 0 withdraws one. The last two arrays are by channel number."""
        if not len(channel):
            return
        day = day_numbers(start_us, self._tz)
        self._advance(int(day.max()))
        for low in range(0, len(channel), AT_ONCE):
            part = slice(low, low + AT_ONCE)
            grid = np.stack([day[part].astype(np.int64), cadence_us[channel[part]], phase_us[channel[part]]])
            for own in distinct_columns(grid):
                if own.key[0] < self.first_day:
                    continue
                at = own.rows + low
                sheet = self._sheet(own.key, channel[at], cadence_us, phase_us)
                self._write(sheet, channel[at], start_us[at], value[at], quality[at])

    def take_day(self, day: int, channel: I32, start_us: I64, value: I64, quality: U8, grid: tuple[I64, I64]) -> None:
        """Take in effective intervals of one local day (by number) at once, as `take_intervals` does.

        `grid` is cadence and phase by channel number. It is for an opening: nobody may read yet, and each day is taken
        in by one thread, days side by side.
        """
        with self._lock:
            self.newest = max(self.newest, day)
        kinds, kind_of = np.unique(np.stack(grid), axis=1, return_inverse=True)
        for number, (cadence, phase) in enumerate(kinds.T.tolist()):
            own = kind_of[channel] == number
            if not own.any():
                continue
            rows = slice(None) if own.all() else own
            mine, at_us, amount, good = channel[rows], start_us[rows], value[rows], quality[rows]
            sheet = self._sheet((day, cadence, phase), mine, *grid)
            for low in range(0, len(mine), AT_ONCE):
                part = slice(low, low + AT_ONCE)
                cells = sheet.cells(mine[part], at_us[part])
                sheet.put(cells, amount[part], good[part])

    def _sheet(self, key: tuple[int, int, int], channel: I32, cadence_us: I64, phase_us: I64) -> Sheet:
        """Give the sheet of a day and grid with room for channels; the first that lacks room makes it for all.

        There is one writer. It makes room before it takes the lock: moving a day of a city takes tens of milliseconds.
        """
        sheet = self._sheets.get(key)
        if sheet is None:
            low, high = (to_us(day_start(day_of_number(number), self._tz)) for number in (key[0], key[0] + 1))
            start = low + (-(low + key[2])) % key[1]
            sheet = Sheet(start, key[1], -((start - high) // key[1]))
        if sheet.lacks(channel):
            alike = np.flatnonzero((cadence_us == key[1]) & (phase_us == key[2])).astype(np.int32)
            grown = sheet.grown(alike)
            with self._lock:
                sheet.row_of, sheet.value, sheet.quality = grown
                self._sheets[key] = sheet
        return sheet

    def _write(self, sheet: Sheet, channel: I32, start_us: I64, value: I64, quality: U8) -> None:
        """Write intervals of one day and grid into their sheet."""
        cells = sheet.cells(channel, start_us)
        with self._lock:
            sheet.put(cells, value, quality)

    def _advance(self, day: int) -> None:
        """Make a day the newest if it is, and let go of those that are too old by then."""
        if day <= self.newest:
            return
        self.newest = day
        with self._lock:
            self._sheets = {key: sheet for key, sheet in self._sheets.items() if key[0] >= self.first_day}
            self._sums = {number: sums for number, sums in self._sums.items() if number > day - KEPT_SUMS}

    def take_sums(self, channel: I32, day: I64, value: I64, arrived: I64, estimated: I64) -> None:
        """Take in differences of daily sums: sub-units, arrived and estimated intervals."""
        if not len(channel):
            return
        self._advance(int(day.max()))
        top = int(channel.max()) + 1
        for number in np.unique(day).tolist():
            if number <= self.newest - KEPT_SUMS:
                continue
            rows = day == number
            with self._lock:
                held = self._sums.get(number, np.zeros((3, 0), np.int64))
                if held.shape[1] < top:
                    held = np.hstack([held, np.zeros((3, top - held.shape[1]), np.int64)])
                own = channel[rows]
                if bool((own[1:] > own[:-1]).all()):  # each channel once, as commits say them: a fifth of the time
                    held[:, own] += np.stack([value[rows], arrived[rows], estimated[rows]])
                else:
                    for place, amounts in enumerate((value, arrived, estimated)):
                        np.add.at(held[place], own, amounts[rows])
                self._sums[number] = held

    def day(self, channel: int, cadence_us: int, phase_us: int, day: int) -> tuple[I64, I64, U8] | None:
        """Give a channel's intervals of one local day: starts, values, qualities; None when the day is not held."""
        if not self.first_day <= day <= self.newest:
            return None
        with self._lock:
            sheet = self._sheets.get((day, cadence_us, phase_us))
            if sheet is None or channel >= len(sheet.row_of) or sheet.row_of[channel] < 0:
                none = np.zeros(0, np.int64)
                return none, none, none.astype(np.uint8)
            row = sheet.row_of[channel]
            held = np.flatnonzero(sheet.quality[row])
            return sheet.start_us + held * cadence_us, sheet.value[row, held], sheet.quality[row, held]

    def days(
        self, channels: I32, cadence_us: int, phase_us: int, day: int, columns: tuple[int, int] | None = None
    ) -> tuple[int, I64, U8] | None:
        """Give a local day of channels: its first slot, values and qualities (m x n); None when it is not held.

        With `columns` only those slots of the day are copied, from the first up to the second (not included); the slot
        that is given is then the first of those.
        """
        if not self.first_day <= day <= self.newest:
            return None
        with self._lock:
            sheet = self._sheets.get((day, cadence_us, phase_us))
            if sheet is None:
                return None
            row_of = sheet.row_of
            known = np.where(channels < len(row_of), row_of[np.minimum(channels, len(row_of) - 1)], -1)
            low, high = columns or (0, sheet.columns)
            value, quality = sheet.value[known, low:high], sheet.quality[known, low:high]
            quality[known < 0] = 0
            return sheet.start_us + low * cadence_us, value, quality

    def starts(self, cadence_us: int, phase_us: int, day: int) -> I64:
        """Give the starts of a local day's slots on a grid; none when the day is not held."""
        with self._lock:
            sheet = self._sheets.get((day, cadence_us, phase_us)) if day >= self.first_day else None
        return np.arange(sheet.columns if sheet else 0) * cadence_us + (sheet.start_us if sheet else 0)

    def sums(self, channels: I32, first_day: int, last_day: int) -> I64 | None:
        """Give daily sums (3 x channels x days: value, arrived, estimated); None when a day is too old to be held."""
        if first_day <= self.newest - KEPT_SUMS:
            return None
        out = np.zeros((3, len(channels), last_day - first_day + 1), np.int64)
        with self._lock:
            for number in range(first_day, last_day + 1):
                held = self._sums.get(number)
                if held is not None:
                    inside = channels < held.shape[1]
                    out[:, inside, number - first_day] = held[:, channels[inside]]
        return out


@dataclass(frozen=True)
class Own:
    """Rows that share a key."""

    key: tuple[int, int, int]
    rows: I64


def distinct_columns(grid: I64) -> list[Own]:
    """Group the columns of a 3 x n array by their content."""
    changed = np.flatnonzero(np.any(grid[:, 1:] != grid[:, :-1], axis=0)) + 1
    if len(changed) > 64:
        order = np.lexsort(grid)
        changed = np.flatnonzero(np.any(grid[:, order][:, 1:] != grid[:, order][:, :-1], axis=0)) + 1
        parts = np.split(order, changed)
    else:
        parts = np.split(np.arange(grid.shape[1]), changed)
    return [Own((int(grid[0, p[0]]), int(grid[1, p[0]]), int(grid[2, p[0]])), p) for p in parts]
