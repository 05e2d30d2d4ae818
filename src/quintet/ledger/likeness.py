"""What meters that were heard, but not all the time, came to: their own level on a common course, and how far off.

How far off is read from like meters: what each of them was off by when the very same cells were hidden of it (leaving
itself out of the course), relative to its own level. Nothing is fitted to the meters in question.
"""

from dataclasses import dataclass

import numpy as np

from .meter_cells import Course, Floats, Mask, MeterCells, Rows

SLOPE = 1.0
"""How far a meter may follow another slope than the common course: not at all (0) and twice as steep (2) are usual."""
EVEN = 1e-6
"""A course that varies by less than a thousandth of itself tells no slope."""
NOTHING = -1 + 1e-9
"""A relative error as low as this: nothing was used where something was expected."""
CELLS_AT_ONCE = 4_000_000
"""Draws held in memory at one time, 32 MB."""


@dataclass(frozen=True, slots=True)
class Method:
    """The numbers of the method; `uncertainty.toml` has each with its reason."""

    draws: int
    least_donors: int
    neighbours: int
    least_own_days: int
    most_donors: int
    least_share: int
    """Hundredths of what is gone, and of what was heard, for which a donor must have been measured."""
    least_stretches: int

    @property
    def share(self) -> float:
        """`least_share` as a share."""
        return self.least_share / 100


@dataclass(frozen=True, slots=True)
class Gaps:
    """Meters [m] that lack cells: what is `gone` and what was `heard` of each [m, cells], and which `pattern` it is."""

    rows: Rows
    gone: Mask
    heard: Mask
    pattern: Rows
    """Of each row its place among the distinct ones, which `first` names."""
    first: Rows

    @classmethod
    def of(cls, meters: MeterCells, rows: Rows) -> "Gaps":
        """Lay out the gaps of some meters."""
        gone, heard = meters.unknown[rows], meters.heard[rows]
        packed = np.packbits(np.hstack([gone, heard]), axis=1)
        _, first, pattern = np.unique(packed, axis=0, return_index=True, return_inverse=True)
        return cls(rows, gone, heard, pattern.reshape(-1), first)


@dataclass(frozen=True, slots=True)
class Told:
    """What cells that were heard say of cells that are gone, by meter and pattern: the level, and what is expected."""

    level: Floats
    expected: Floats
    unsure: Floats
    """By how much the slope may be off, as a share of what is expected."""


def told(own: "Sums", gone_time: Floats, gone_base: Floats) -> Told:
    """Tell what meters should have come to on what is gone, from sums over what was heard; all arrays of one shape.

    A meter follows the common course by a slope b: b = 1 in proportion to it, b = 0 not at all. The slope that its own
    cells show is taken in so far as it is sure: b ~ N(1, SLOPE^2) before, its regression's standard error after (the
    usual posterior mean of two normals).
    """
    level = np.divide(own.value, own.base, out=np.zeros(own.value.shape), where=own.base > 0)
    rate = np.divide(own.base, own.time, out=np.zeros(own.base.shape), where=own.time > 0)
    across = own.base_base - rate * own.base
    along = own.base_value - rate * own.value
    around = own.value_value - np.divide(own.value**2, own.time, out=np.zeros(own.time.shape), where=own.time > 0)
    moves = (across > rate * own.base * EVEN) & (level > 0) & (own.count > 2)
    slope = np.divide(along, across * level, out=np.ones(level.shape), where=moves)
    left = np.maximum(around - slope * level * along, 0) / np.maximum(own.count - 2, 1)
    error = np.divide(left, across * level**2, out=np.zeros(level.shape), where=moves)
    bend = np.where(moves, 1 + (slope - 1) * SLOPE**2 / (SLOPE**2 + error), 1.0)
    beyond = gone_base - rate * gone_time
    expected = np.maximum(level * (bend * beyond + rate * gone_time), 0)
    after = np.where(moves, SLOPE * np.sqrt(error / (SLOPE**2 + error)), SLOPE)
    unsure = np.divide(level * after * np.abs(beyond), expected, out=np.zeros(level.shape), where=expected > 0)
    return Told(level, expected, unsure)


@dataclass(frozen=True, slots=True)
class Sums:
    """Sums over the cells that were heard: time, course, value, and their products (each over the cell's time)."""

    time: Floats
    base: Floats
    value: Floats
    base_base: Floats
    base_value: Floats
    value_value: Floats
    count: Floats


def errors_of(
    source: MeterCells, course: Course, chosen: Rows, gaps: Gaps, method: Method
) -> tuple[Floats, Floats, Floats]:
    """Give how far off the donors `chosen` [k] would have been in each pattern of gaps [k, p], relative to expected.

    And what was expected, as if all that is gone had been measured; and how unsure their slope was.

    NaN where a donor was not measured for at least `least_share` of what is gone and of what was heard.
    """
    heard = source.heard[chosen]
    alone = np.nan_to_num(course.without(chosen, source.heard))
    value = np.where(heard, source.value[chosen], 0).astype(np.float64)
    gone, own = (mask[gaps.first].astype(np.float64).T for mask in (gaps.gone, gaps.heard))
    here, days = alone * heard, source.days
    base_own, base_gone = here @ own, here @ gone
    sure = (base_own >= method.share * (alone @ own)) & (base_gone >= method.share * (alone @ gone))
    sure &= (base_own > 0) & (base_gone > 0) & (course.weight[chosen] > 0)[:, None]
    sums = Sums(
        (heard * days) @ own, base_own, value @ own, (here**2 / days) @ own, (here * value / days) @ own,
        (value**2 / days) @ own, heard.astype(np.float64) @ own,
    )  # fmt: skip
    by = told(sums, (heard * days) @ gone, base_gone)
    expected = by.expected
    sure &= expected > 0
    off = np.divide(value @ gone, expected, out=np.full(expected.shape, np.nan), where=sure) - 1
    share = np.divide(alone @ gone, base_gone, out=np.ones(base_gone.shape), where=base_gone > 0)
    return off, expected * share, by.unsure


def expected_of(meters: MeterCells, course: Course, gaps: Gaps) -> tuple[Floats, Floats, Told, Mask]:
    """Give what each meter should have come to on what is gone, the part of it in doubt, by what, and where nothing.

    What is estimated stands as it is, in doubt for the estimated share; any other cell is told by the course.
    """
    mean, days = np.nan_to_num(course.mean), meters.days
    value = np.where(gaps.heard, meters.value[gaps.rows], 0).astype(np.float64)
    estimated = np.where(gaps.gone, meters.estimated[gaps.rows], 0.0)
    stands = ~np.isnan(estimated)
    blank = gaps.gone & ~stands
    sums = Sums(
        gaps.heard @ days, gaps.heard @ mean, value.sum(axis=1), gaps.heard @ (mean**2 / days),
        value @ (mean / days), (value**2) @ (1 / days), gaps.heard.sum(axis=1).astype(np.float64),
    )  # fmt: skip
    by_course = told(sums, blank @ days, blank @ mean)
    cells = np.where(gaps.gone & stands, meters.value[gaps.rows], 0)
    doubt = (np.abs(cells) * np.where(stands, estimated, 0.0)).sum(axis=1) + by_course.expected
    lost = np.asarray((blank & np.isnan(course.mean)).any(axis=1), np.bool_)
    return cells.sum(axis=1) + by_course.expected, doubt, by_course, lost


def restless(value: Floats, base: Floats, long: int) -> Floats:
    """Give by how much meters [m] are off over stretches of `long` of their own cells [m, cells]: root mean square.

    Each stretch is told from the rest of the meter's own cells; where there are not twice as many, half of them.
    """
    width = value.shape[1]
    if width < 2:
        return np.zeros(len(value))
    long = max(min(long, width // 2), 1)
    sums, under = (np.cumsum(np.pad(one, ((0, 0), (1, 0))), axis=1) for one in (value, base))
    here, below = sums[:, long:] - sums[:, :-long], under[:, long:] - under[:, :-long]
    rest, beside = sums[:, -1:] - here, under[:, -1:] - below
    expected = np.divide(rest * below, beside, out=np.zeros(here.shape), where=beside > 0)
    off = np.divide(here - expected, expected, out=np.zeros(here.shape), where=expected > 0)
    return np.sqrt((off**2).mean(axis=1))


def bandwidth(donors: int) -> float:
    """Give the width of a normal kernel of spread 1: 1.06 n^(-1/5) (B. W. Silverman, Density Estimation, 1986, 3.4.2).

    A bootstrap alone never draws beyond the largest donor; a smoothed one does, the less the more donors there are.
    """
    return 1.06 * donors ** (-0.2)


def donors_of(source: MeterCells, course: Course, kin: Mask, rng: np.random.Generator, method: Method) -> Rows:
    """Choose the donors: every meter with a level, or kin and as many others at random as the method's number says."""
    can = (course.weight > 0) & source.heard.any(axis=1)
    rows = np.flatnonzero(can)
    if len(rows) <= method.most_donors:
        return rows
    others = rng.choice(np.flatnonzero(can & ~kin), method.most_donors - int((can & kin).sum()), replace=False)
    return np.sort(np.concatenate([np.flatnonzero(can & kin), others]))


def heard_rest(
    meters: MeterCells, rows: Rows, source: MeterCells, kin: Mask, rng: np.random.Generator, method: Method
) -> tuple[Floats, Rows]:
    """Draw what meters `rows`, each heard for some time, came to on the cells that are gone [draws].

    `kin` names those of `source` that stand at the same level of places, where these alone are too few to tell. And
    name the rows of which nothing can be said: too few of `source` tell errors, or nobody was measured.
    """
    course = Course.of(source)
    gaps = Gaps.of(meters, rows)
    expected, doubt, by, lost = expected_of(meters, course, gaps)
    chosen = donors_of(source, course, kin, rng, method)
    off, of_donors, unsure = errors_of(source, course, chosen, gaps, method)
    mean = np.nan_to_num(course.mean)
    weights = rng.exponential(size=(method.draws, len(chosen)))
    out = np.zeros(method.draws)
    for pattern in range(len(gaps.first)):
        can = np.flatnonzero(~np.isnan(off[:, pattern]))
        mine = np.flatnonzero((gaps.pattern == pattern) & ~lost)
        if len(can) < method.least_donors:
            lost[mine] = True
            continue
        order = can[np.argsort(of_donors[can, pattern], kind="stable")]
        near = min(method.neighbours, len(order))
        at = np.searchsorted(of_donors[order, pattern], by.expected[mine])
        window = np.clip(at - near // 2, 0, len(order) - near)[:, None] + np.arange(near)
        calm = _unrest(source, chosen[order], course.level[chosen[order]], unsure[order, pattern], mean, gaps, pattern)
        wild = _unrest(meters, rows[mine], by.level[mine], by.unsure[mine], mean, gaps, pattern)
        errors = off[order, pattern][window]
        size = np.sqrt((errors**2).mean(axis=1))
        of_kin = off[chosen_kin(chosen, kin, can), pattern]
        shift, spread = by_kin(of_kin, size)
        usual = np.sqrt((calm[window] ** 2).mean(axis=1))
        apart = np.divide(wild, usual, out=np.ones(len(size)), where=usual > 0)
        wider = spread * np.maximum(np.sqrt((1 + apart**2) / 2), apart)
        like = Like(errors, shift, wider, order[window])
        out += _drawn(expected[mine], doubt[mine], like, weights, rng)
    return out, rows[lost]


def _unrest(
    meters: MeterCells, rows: Rows, level: Floats, unsure: Floats, mean: Floats, gaps: Gaps, pattern: int
) -> Floats:
    """Give how restless meters are over what was heard in a pattern of gaps, with what their slope is unsure by."""
    own = np.flatnonzero(gaps.heard[gaps.first[pattern]])
    base = np.tile(mean[own], (len(rows), 1))
    heard, value = meters.heard[np.ix_(rows, own)], meters.value[np.ix_(rows, own)]
    filled = np.where(heard, value, level[:, None] * base)
    return np.sqrt(restless(filled, base, int(gaps.gone[gaps.first[pattern]].sum())) ** 2 + unsure**2)


def lone_rest(meters: MeterCells, rows: Rows, rng: np.random.Generator, method: Method) -> tuple[Floats, Rows]:
    """Draw what meters without like came to on the cells that are gone, each off as over stretches of its own past.

    By Student's t of the least number of stretches that do not overlap; all of them together, for nobody tells whether
    what one was off by the others were too. And name the rows whose past has too few stretches.
    """
    out, lost = np.zeros(method.draws), list[int]()
    flat = Course(meters.days, *(np.zeros(0) for _ in range(5)))
    gaps = Gaps.of(meters, rows)
    expected, doubt, by, _ = expected_of(meters, flat, gaps)
    drawn = rng.standard_t(method.least_stretches - 1, method.draws)
    for at, row in enumerate(rows.tolist()):
        own = np.flatnonzero(gaps.heard[at])
        long = max(float(meters.days[gaps.gone[at]].sum()), 1e-9)
        count = int(meters.days[own].sum() / long)
        if count < method.least_stretches or by.level[at] <= 0:
            lost.append(row)
            continue
        cells = max(round(len(own) / (meters.days[own].sum() / long)), 1)
        off = restless(meters.value[row : row + 1, own].astype(np.float64), meters.days[None, own], cells)[0]
        wide = off * np.sqrt(1 + 1 / count)
        out += expected[at] + doubt[at] * np.maximum(wide * drawn, -1.0)
    return out, np.array(lost, np.intp)


def chosen_kin(chosen: Rows, kin: Mask, can: Rows) -> Rows:
    """Give the places among the donors of those that are kin and tell an error."""
    return can[kin[chosen[can]]]


def by_kin(off: Floats, size: Floats) -> tuple[Floats, Floats]:
    """Give by how much kin are off together, and how much more widely than the others, whose errors are of `size` [m].

    As if one meter of the usual size of error had been seen before: the posterior mean and spread of few normals.
    """
    count = len(off)
    shift = np.full(len(size), off.sum() / (count + 1))
    ratio = np.divide((off**2).sum(), size**2, out=np.full(len(size), float(count)), where=size > 0)
    return shift, np.sqrt((1 + ratio) / (1 + count) * (1 + 1 / (1 + count) if count else 1.0))


@dataclass(frozen=True, slots=True)
class Like:
    """Errors of donors [m, near], relative: how far kin are off together [m], how much wider [m], and who they are."""

    errors: Floats
    shift: Floats
    wider: Floats
    donors: Rows


def _drawn(expected: Floats, doubt: Floats, like: Like, weights: Floats, rng: np.random.Generator) -> Floats:
    """Draw the sum over meters [m] of what is expected, off by the error of one of its donors each.

    A donor that used nothing is drawn as nothing; where there is such a one, what is smoothed and widened keeps the
    donors' mean, which would rise, for nobody uses less than nothing.
    """
    draws, near = len(weights), like.donors.shape[1]
    out = np.zeros(draws)
    wide = bandwidth(near)
    keep = np.sqrt((near + 1) / (near - 1) / (1 + wide**2))
    middle, spread = like.errors.mean(axis=1), like.errors.std(axis=1)
    step = max(CELLS_AT_ONCE // (draws * near), 1)
    for low in range(0, len(expected), step):
        part = slice(low, low + step)
        running = np.cumsum(weights[:, like.donors[part]], axis=2)
        point = rng.random((draws, running.shape[1], 1)) * running[:, :, -1:]
        at = np.minimum((running < point).sum(axis=2), near - 1)
        off = like.errors[part][np.arange(running.shape[1]), at]
        nothing = off <= NOTHING
        smooth = (off - middle[part] + rng.normal(size=off.shape) * wide * spread[part]) * keep
        off = (middle[part] + smooth) * like.wider[part] + like.shift[part]
        mean = np.maximum(1 + middle[part] + like.shift[part], 0)
        ratio = np.where(nothing, 0.0, np.maximum(1 + off, 0))
        found = ratio.mean(axis=0)
        sometimes = (like.errors[part] <= NOTHING).any(axis=1)
        ratio *= np.divide(mean, found, out=np.ones(len(mean)), where=(found > 0) & sometimes)
        out += (expected[part] + doubt[part] * (ratio - 1)).sum(axis=1)
    return out
