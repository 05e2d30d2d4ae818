"""Trying an estimator on a few values typed in: the functions that fill a city's gaps, and nothing else.

`try_estimate` serves `quintet vee try --estimate NAME`.
"""

from fractions import Fraction
from math import lcm
from zoneinfo import ZoneInfo

import numpy as np

from quintet.terms.amount import Ints
from quintet.terms.errors import UsageError
from quintet.terms.period import to_us
from quintet.terms.quality import qualities, qualities_by_id
from quintet.vee import Block, Gaps, Others, find_gaps
from quintet.vee.estimation import estimate_typed, lent_others
from quintet.vee.order import shipped_order
from quintet.vee.told import told

from .answer import Answer, document_of
from .cells import rows_of
from .try_input import amounts, cadence_of, decimal_of, fineness, fitting, number_of, numbers_of
from .try_trial import Asked, kind_of, start_of, zone_of


def try_estimate(
    estimate: str,
    values: str = "",
    *,
    interval: str = "15min",
    total: str | None = None,
    start: str | None = None,
    tz: str = "UTC",
    refs: str | None = None,
    commodity: str | None = None,
    role: str | None = None,
    unit: str | None = None,
) -> Answer:
    """Fill the empty places of comma-separated values by one estimator.

    `total` is the register's difference over the gap (there must be just one then). `refs` are days or series to
    estimate from, `;` between them, each as long as the values or as the gap; without `values` all of it is the gap.
    In a `role` whose amounts may be below zero (net, storage) a total may be too. The document holds `values` (numbers
    in `unit`, null where it declines), `methods` (the quality of each estimate, null for values that were given or
    declined) and `told` (vee.told, of estimators that ask others). Raises UsageError for what cannot be read and for an
    unknown estimator.
    """
    estimate = known_estimator(estimate)
    kind, own = kind_of(None, Asked("", commodity=commodity, role=role, unit=unit))
    lists = [("--refs", one) for one in refs.split(";")] if refs else []
    numbers = [(option, numbers_of(one, option, strict_end=True)) for option, one in lists]
    whole = numbers_of(values, "--values", strict_end=True) if values.strip() or not lists else None
    sum_of = None if total is None else number_of(total, "--total")
    every = [*(held for _, held in numbers), whole or [], [sum_of]]
    largest = max([Fraction(0), *(abs(Fraction(one)) * own.ratio for held in every for one in held if one is not None)])
    ratio = own.ratio * fitting(lcm(*(fineness(held, own.ratio) for held in every)), largest)
    given = [amounts(held, ratio, own.code, option) for option, held in numbers]
    row: list[int | None] = [None] * len(given[0]) if whole is None else amounts(whole, ratio, own.code, "--values")
    zone = zone_of(tz)
    block = block_of(row, cadence_of(interval), to_us(start_of(start, zone)), zone)
    gaps = with_total(find_gaps(block), None if sum_of is None else int(Fraction(sum_of) * ratio))
    lent = np.array([lent_series(one, row) for one in given], np.int64).reshape(len(given), len(row))
    value, quality = estimate_typed(block, gaps, estimate, lent, kind.role)
    why = told_of(estimate, block, gaps, lent)
    cells = list(zip(value[0].tolist(), quality[0].tolist(), whole or row, strict=True))
    exact = [amount / ratio if said is None else Fraction(said) for amount, _, said in cells]
    shown = [decimal_of(one) if code else None for one, (_, code, _) in zip(exact, cells, strict=True)]
    methods = [qualities_by_id()[code].code if code and said is None else None for _, code, said in cells]
    document = {"estimate": estimate, "interval": interval, "values": shown, "methods": methods}
    document |= {"unit": own.code, "role": kind.role, "told": why}
    columns = ["value", "method"]
    rows = [{"value": one, "method": method} for one, method in zip(shown, methods, strict=True)]
    return Answer(columns, rows_of(columns, rows), document_of(document), numbers=["value"], notes=why)


def told_of(estimate: str, block: Block, gaps: Gaps, lent: Ints) -> list[str]:
    """Say of each gap what an estimator that asks others had to go by; nothing of one that asks the channel alone."""
    if shipped_order().rows[estimate].reach != "others":
        return []
    lends = len(lent) or estimate == "outage_zero"
    others = lent_others(estimate, lent, block.value.shape) if lends else Others()
    return [one.text_en for one in told(estimate, block, gaps, others)]


def known_estimator(said: str) -> str:
    """Give an estimator's name as its table writes it; raises UsageError, naming those that are known."""
    name = said.strip().lower().replace("-", "_")
    known = shipped_order().rows
    if name not in known:
        raise UsageError(
            f"{said!r} is no estimator.",
            code="unknown_estimator",
            place="--estimate",
            remedy=f"Known: {', '.join(known)}.",
        )
    return name


def block_of(row: list[int | None], cadence_us: int, begin_us: int, tz: ZoneInfo) -> Block:
    """Lay the values out as one channel from a moment on; every value given is valid."""
    value = np.array([[one or 0 for one in row]], np.int64)
    present = np.array([[one is not None for one in row]], np.bool_)
    quality = np.where(present, np.uint8(qualities()["valid"].id), np.uint8(0))
    return Block.of(begin_us, cadence_us, np.zeros(1, np.int32), (value, quality, present), tz)


def with_total(gaps: Gaps, total: int | None) -> Gaps:
    """Let the one gap there is sum to a register's difference."""
    if total is None:
        return gaps
    if len(gaps) != 1:
        raise UsageError(
            f"a total is one number and belongs to one gap; there are {len(gaps)}.",
            code="bad_total",
            place="--total",
            remedy="Try each gap by itself.",
        )
    return Gaps(gaps.row, gaps.first, gaps.length, np.array([total], np.int64), np.ones(1, np.bool_))


def lent_series(given: list[int | None], row: list[int | None]) -> list[int]:
    """Give one reference as a series as long as the values: it is that already, or as long as what is missing."""
    empty = [place for place, one in enumerate(row) if one is None]
    whole: list[int | None] = [None] * len(row)
    for place, one in zip(range(len(row)) if len(given) == len(row) else empty, given, strict=False):
        whole[place] = one
    if len(given) not in (len(row), len(empty)) or any(whole[place] is None for place in empty):
        raise UsageError(
            f"a reference has {len(given)} values, the series {len(row)}, of which {len(empty)} are missing.",
            code="bad_refs",
            place="--refs",
            remedy="Give each reference as many values as the series, or as are missing, and none of those empty.",
        )
    return [one or 0 for one in whole]
