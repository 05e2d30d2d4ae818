"""What names mean: site, meter, commodity and unit as rows say them, to channels, whole columns at once."""

import threading
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, fields

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from quintet.registry import Registry
from quintet.terms.length import DAY_US
from quintet.terms.reading import ValueKind
from quintet.terms.unit import units

from .meaning import AS_REGISTERED, KINDS, Meaning
from .rows import I16, I32, I64, Mask

MOST_REFUSED = 50_000
"""Names without a channel that are remembered; a device that makes up names costs no more memory than these."""
COLUMNS = ("site", "meter", "commodity", "unit")
STRANGE = -1
"""The number of a word that neither the registry nor a table knows."""


def marked(*kinds: ValueKind) -> Mask:
    """Mark kinds of values, by their number in KINDS."""
    return np.isin(np.arange(len(KINDS)), [KINDS.index(kind) for kind in kinds])


REGISTERS = marked(ValueKind.REGISTER_CUMULATIVE, ValueKind.REGISTER_DAILY_RESET)
SUMS = marked(ValueKind.INTERVAL_SUM, ValueKind.EVENT_SUM)
"""Kinds whose readings add up: one that is stamped twice counts twice."""
RATES = marked(ValueKind.AVG_POWER, ValueKind.INST_FLOW)

Codes = npt.NDArray[np.int64]
Words = tuple[str | None, str | None, str | None, str | None]
"""Site, meter, commodity and unit as a row says them."""


@dataclass(frozen=True, slots=True)
class Meant:
    """What combinations of names mean, by their number: a channel (-1 for none) and the number of the unit as received.

    Times are to be moved by `shift_us`; `register` and `adds_up` say what kind of values they are.
    """

    channel: I32
    unit: I16
    shift_us: I64
    register: Mask
    adds_up: Mask
    cadence_us: I64

    def followed_by(self, more: "Meant") -> "Meant":
        """Give these and then more."""
        return Meant(*(np.concatenate([getattr(self, f.name), getattr(more, f.name)]) for f in fields(Meant)))


@dataclass(frozen=True, slots=True)
class Known:
    """Names that were resolved, by number, at one moment; never changed, only replaced.

    `keys` (sorted) and `numbers` say which combination of known words has which number, `strange` those with words that
    nobody knows; `why` has code and reason of those that mean no channel.
    """

    keys: I64
    numbers: I64
    strange: dict[Words, int]
    meant: Meant
    why: dict[int, tuple[str, str]]

    def places(self, key: I64) -> I64:
        """Give the number of each key, -1 where it is not known."""
        at = np.minimum(np.searchsorted(self.keys, key), max(len(self.keys) - 1, 0))
        return np.where(self.keys[at] == key, self.numbers[at], -1) if len(self.keys) else np.full(len(key), -1)


class Names:
    """Resolves names against one state of the registry; remembers what it has resolved."""

    def __init__(self, registry: Registry, meaning: Meaning, unit_number: Callable[[str], int]) -> None:
        """Use the registry as it stands, `meaning` as arrays; `unit_number` numbers a unit as received."""
        self._registry = registry
        self._meaning = meaning
        self._unit_number = unit_number
        self._edge = threading.Lock()
        table = registry.commodities
        self._numbers: list[dict[str, int]] = [
            numbered(site for site, _ in registry.lookup),
            numbered(meter for _, meter in registry.lookup),
            numbered([*table.rows, *table.aliases]),
            numbered(units()),
        ]
        self._known = self._plain = self._registered()

    def resolve(self, readings: pa.Table) -> tuple[Known, Codes]:
        """Give what the names of rows mean, and the number there of each row."""
        columns = [encoded(readings[name]) for name in COLUMNS]
        ids = [self._ids(place, *column) for place, column in enumerate(columns)]
        key = self._key(*ids)
        for own in ids:
            key[own == STRANGE] = STRANGE
        known = self._known
        which = known.places(key)
        lacking = np.flatnonzero(which < 0)
        if not len(lacking):
            return known, which
        words = [[None, *listed] for _, listed in columns]
        codes = np.stack([codes[lacking] for codes, _ in columns])
        distinct, first, of_row = np.unique(codes, axis=1, return_index=True, return_inverse=True)
        said = [tuple(words[place][code] for place, code in enumerate(one)) for one in distinct.T.tolist()]
        known, numbers = self._learn(said, key[lacking[first]])
        # numbers of what was known before are the same in what is known now, unless it was forgotten meanwhile
        which = known.places(key)
        which[lacking] = numbers[of_row.reshape(-1)]
        return known, which

    def _ids(self, place: int, codes: Codes, words: list[str]) -> I64:
        """Give the number of each row's word: 0 for null, STRANGE for one that nobody knows."""
        numbers = self._numbers[place]
        if not words:
            return np.zeros(len(codes), np.int64)
        return np.array([0, *(numbers.get(word, STRANGE) for word in words)], np.int64)[codes]

    def _key(self, site: I64, meter: I64, commodity: I64, unit: I64) -> I64:
        """Give one number for four; a country's sites, meters, commodities and units fit 63 bits."""
        _, meters, commodities, names = (len(numbers) + 1 for numbers in self._numbers)
        return ((site * meters + meter) * commodities + commodity) * names + unit

    def _registered(self) -> Known:
        """Give what (site, meter) alone mean, of all meters with one channel."""
        sites, meters, *_ = self._numbers
        plain = [
            (sites[name[0]], meters[name[1]], ids[0]) for name, ids in self._registry.lookup.items() if len(ids) == 1
        ]
        site, meter, channel = np.array(plain, np.int64).reshape(-1, 3).T
        key = self._key(site, meter, np.zeros_like(site), np.zeros_like(site))
        order = np.argsort(key)
        meant = self._meant(channel, np.full(len(channel), self._unit_number(AS_REGISTERED), np.int16))
        return Known(key[order], order, {}, meant, {})

    def _meant(self, channel: I64, unit: I16) -> Meant:
        """Give what channels mean, -1 for none; their readings are in units of those numbers."""
        kind = self._meaning.kind[channel] if len(self._meaning.kind) else np.zeros(len(channel), np.uint8)
        cadence = self._meaning.cadence_us[channel] if len(self._meaning.kind) else np.zeros(len(channel), np.int64)
        shift = np.array([self._registry.shift_days(one) * DAY_US for one in channel.tolist()], np.int64)
        return Meant(channel.astype(np.int32), unit, shift, REGISTERS[kind], SUMS[kind], cadence)

    def _learn(self, said: Sequence[Words], key: I64) -> tuple[Known, I64]:
        """Resolve distinct combinations that were not known; gives all that is known now and their numbers.

        Several threads may ask. Whoever works with what was known before keeps it; made-up names are not kept for ever.
        """
        with self._edge:
            known = self._plain if len(self._known.why) > MOST_REFUSED else self._known
            numbers = known.places(key)
            strange = key == STRANGE
            numbers[strange] = [known.strange.get(said[place], -1) for place in np.flatnonzero(strange).tolist()]
            lacking = np.flatnonzero(numbers < 0)
            if len(lacking):
                numbers[lacking] = len(known.meant.channel) + np.arange(len(lacking))
                known = self._with(known, [said[place] for place in lacking.tolist()], key[lacking])
            self._known = known
            return known, numbers

    def _with(self, known: Known, said: list[Words], key: I64) -> Known:
        """Give what is known and more combinations, numbered from the next number on."""
        count = len(known.meant.channel)
        found = [self._name(*one) for one in said]
        channel = np.array([-1 if isinstance(one, tuple) else one for one in found], np.int64)
        unit = [
            self._unit_number(one[3] or AS_REGISTERED) if at >= 0 else 0 for one, at in zip(said, channel, strict=True)
        ]
        why = {count + place: one for place, one in enumerate(found) if isinstance(one, tuple)}
        strange = {said[place]: count + place for place in np.flatnonzero(key == STRANGE).tolist()}
        plain = np.flatnonzero(key != STRANGE)
        keys = np.concatenate([known.keys, key[plain]])
        numbers = np.concatenate([known.numbers, count + plain])
        order = np.argsort(keys, kind="stable")
        meant = known.meant.followed_by(self._meant(channel, np.array(unit, np.int16)))
        return Known(keys[order], numbers[order], {**known.strange, **strange}, meant, {**known.why, **why})

    def _name(
        self, site: str | None, meter: str | None, commodity: str | None, unit: str | None
    ) -> int | tuple[str, str]:
        """Find the channel that a row's names mean, or say why there is none: code and reason."""
        label = f"{site or ''}/{meter or ''}"
        if unit is not None and units().get(unit) is None:
            return "unknown_unit", f"Meter {label} reports in {unit}, which is no known unit."
        table = self._registry.commodities
        alias = table.aliases.get(commodity or "")
        meant = alias.commodity if alias is not None else commodity
        if meant is not None and table.get(meant) is None:
            return "unknown_commodity", f"Meter {label} measures {meant}, which is no known commodity."
        here = self._registry.lookup.get((site or "", meter or ""), [])
        own = self._meaning
        found = [channel for channel in here if meant in (None, own.commodity[channel])]
        if not here:
            return "unregistered_meter", f"Meter {label} is not in the registry; register it and ingest again."
        if len(found) != 1:
            listed = self._registry.channels().filter(pc.is_in(pc.field("channel"), pa.array(here, pa.int32())))
            has = ", ".join(listed["name"].to_pylist())
            return "ambiguous_channel", f"Meter {label} has {has}; the row says {commodity or 'none of them'}."
        channel = found[0]
        name = unit or own.unit[channel]
        known = units()[name]
        if known.quantity != own.quantity[channel] or known.rate != bool(RATES[own.kind[channel]]):
            return "wrong_unit", f"Meter {label} is registered in {own.unit[channel]}; the row says {name}."
        return channel


def numbered(words: Iterable[str]) -> dict[str, int]:
    """Give distinct words numbers from 1 on."""
    out: dict[str, int] = {}
    for word in words:
        out.setdefault(word, len(out) + 1)
    return out


def encoded(column: pa.ChunkedArray) -> tuple[I64, list[str]]:
    """Give each row's code (0 for null, else 1 + index) and the words."""
    whole = column.combine_chunks()
    if isinstance(whole, pa.ChunkedArray):
        whole = pa.concat_arrays(whole.chunks) if whole.num_chunks else pa.array([], column.type)
    if not isinstance(whole, pa.DictionaryArray):
        whole = pc.dictionary_encode(whole)
    codes = pc.fill_null(whole.indices.cast(pa.int64()), -1).to_numpy(zero_copy_only=False)
    return codes + 1, [str(word) for word in whole.dictionary.to_pylist()]
