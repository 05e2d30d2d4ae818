"""The privacy floor: which sums over groups of customers may be told to everybody, alone and against each other.

What is told of one flow is a family of places of one tree. Sets of a tree are nested or apart, so all that can be
computed from told sums by adding and subtracting are sums of *rests*: a told place less the told places right below it.
Rests are disjoint: whatever is computed holds each rest whole or not at all. So it is enough, and needed, that every
rest that holds anybody fits the floor itself; where one does not, a told place below is withdrawn (complementary
suppression), the smallest first.
"""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from functools import lru_cache
from hashlib import blake2b
from typing import Any

import numpy as np
import numpy.typing as npt

from quintet.terms.amount import Ints
from quintet.terms.catalogue import numbers_of, read_toml

from .sets import Amounts, Mask

NAMES = ("customers", "share", "customers_fine", "present", "meter_error", "settled")
Fits = Callable[[int, Ints], bool]
"""Tells whether rows of a place may be told as one sum."""


@dataclass(frozen=True, slots=True)
class Floor:
    """The limits of floor.toml."""

    customers: int
    share: int
    customers_fine: int
    present: int
    meter_error: int
    settled: int

    @property
    def digest(self) -> str:
        """Name these limits."""
        return blake2b(repr([getattr(self, name) for name in NAMES]).encode(), digest_size=8).hexdigest()

    def dominated(self, amounts: Amounts, totals: Amounts) -> Mask:
        """Tell by period where one of some customers' amounts [c, p] is too much of the sum [p].

        A sum of nothing tells of each that it is nothing: it counts as dominated.
        """
        largest = np.abs(amounts).max(axis=0)
        return np.asarray((largest * 100 > np.abs(totals) * self.share) | (totals == 0), np.bool_)


@lru_cache(maxsize=1)
def floor() -> Floor:
    """Give the floor in force."""
    return Floor(**numbers_of(read_toml(__package__ or "", "floor.toml"), NAMES, "floor.toml"))


@dataclass(frozen=True, slots=True)
class Flow:
    """The meters of one flow over a month's days: rows [n] with their place and customer, by number, and days [n, d].

    `value` in sub-units; `heard`: anything is known of the day; `complete`: all that was due is known.
    """

    home: Ints
    customer: Ints
    value: Amounts
    heard: Mask
    complete: Mask


def by_customer(customer: Ints, column: npt.NDArray[Any]) -> Amounts:
    """Sum rows [n, d] by customer [c, d], in an order that is the same for the same customers."""
    names, which = np.unique(customer, return_inverse=True)
    if len(names) == len(customer):
        return column.astype(np.int64) if column.dtype == np.bool_ else column
    out = np.zeros((len(names), column.shape[1]), np.int64 if column.dtype == np.bool_ else column.dtype)
    np.add.at(out, which.reshape(-1), column)
    return out


def month_fits(limits: Floor, flow: Flow) -> Fits:
    """Give the test for sums over the month of a flow.

    Where the whole flow was heard on too few of the month's days, its sum is one of days: those need more customers.
    """
    days = flow.heard.shape[1]
    heard_days = int(flow.heard.any(axis=0).sum())
    full = heard_days * 100 >= limits.present * days
    customers = limits.customers if full else limits.customers_fine
    needed = -(-(days if full else heard_days) * limits.present // 100)

    def fits(_place: int, rows: Ints) -> bool:
        heard = by_customer(flow.customer[rows], flow.heard[rows]) > 0
        present = int((heard.sum(axis=1) >= needed).sum())
        amounts = by_customer(flow.customer[rows], flow.value[rows]).sum(axis=1)[:, None]
        return present >= max(customers, 1) and not limits.dominated(amounts, amounts.sum(axis=0)).any()

    return fits


def fine_fits(limits: Floor, flow: Flow) -> Fits:
    """Give the test for sums by day and below: on every day on which anything is known.

    Only who is complete on a day is counted, so that the same holds for each hour of it.
    """

    def fits(_place: int, rows: Ints) -> bool:
        customer = flow.customer[rows]
        known = (by_customer(customer, flow.heard[rows]) > 0).any(axis=0)
        partial = by_customer(customer, flow.heard[rows] & ~flow.complete[rows]) > 0
        whole = (by_customer(customer, flow.complete[rows] & flow.heard[rows]) > 0) & ~partial
        amounts = by_customer(customer, flow.value[rows])
        few = whole.sum(axis=0) < limits.customers_fine
        return not ((few | limits.dominated(amounts, amounts.sum(axis=0))) & known).any()

    return fits


@dataclass(frozen=True, slots=True)
class Silence:
    """What is not known of the customers behind metered boundaries: minutes missing [n, p] of rows with their place.

    `largest` and `total` are of each place's use [places, p]: one customer's at most, and all together; `minutes` [p].
    """

    home: Ints
    customer: Ints
    missing: Ints
    largest: Amounts
    total: Amounts
    minutes: Ints


def silence_fits(limits: Floor, customers: int, silence: Silence) -> Fits:
    """Give the test for what a boundary's meter would tell of those who were not heard.

    Supply less use tells it: nobody may be silent there, or enough customers, none of them most of it, or so little
    that it drowns in the error of the boundary's meter.
    """

    def fits(place: int, rows: Ints) -> bool:
        missing = by_customer(silence.customer[rows], silence.missing[rows])
        for period in np.flatnonzero(missing.any(axis=0)).tolist():
            gone = missing[:, period]
            total = int(gone.sum())
            many = int((gone > 0).sum()) >= customers and int(gone.max()) * 100 <= total * limits.share
            could = int(silence.largest[place, period]) * total * 1000
            drowned = (
                0 < could <= abs(int(silence.total[place, period])) * limits.meter_error * int(silence.minutes[period])
            )
            if not (many or drowned):
                return False
        return True

    return fits


@dataclass(frozen=True, slots=True)
class Settled:
    """The places whose sum is told, and those that fit and are withdrawn for the sake of others."""

    told: set[int]
    withdrawn: set[int]


def settle(parent: Ints, home: Ints, fits: Fits, among: Collection[int] | None = None) -> Settled:
    """Choose the places of a tree of which a sum is told; `parent` is by place, parents before children, root -1.

    `home` is the place of each row, `among` the places that may be chosen (None: all). A place without rows hides
    nobody and is chosen. The same rows give the same choice.
    """
    count = len(parent)
    rows: list[Ints] = [np.flatnonzero(home == place) for place in range(count)]
    tops: list[list[int]] = [[] for _ in range(count)]
    under: dict[int, list[int]] = {}
    out = Settled(set(), set())
    for place in range(count - 1, -1, -1):
        mine, below = rows[place], tops[place]
        if among is None or place in among:
            if not len(mine):
                out.told.add(place)
            elif fits(place, mine):
                _withdraw(place, rows, below, under, out, fits)
                under[place], below = below, [place]
                out.told.add(place)
        above = int(parent[place])
        if above >= 0:
            rows[above] = np.concatenate([rows[above], mine])
            tops[above] += below
    return out


def _withdraw(
    place: int, rows: list[Ints], tops: list[int], under: Mapping[int, list[int]], out: Settled, fits: Fits
) -> None:
    """Withdraw told places right below one until its rest fits; with none left the rest is all of it, which fits."""
    while tops:
        told = np.concatenate([rows[one] for one in tops])
        rest = np.setdiff1d(rows[place], told)
        if not len(rest) or fits(place, rest):
            return
        least = min(tops, key=lambda one: (len(rows[one]), one))
        out.told.discard(least)
        out.withdrawn.add(least)
        tops.remove(least)
        tops += under[least]
