"""A change taken apart: weather, activity, carriers, supply, intensity, gaps; exact, and in no order.

The method is the Shapley value of the change over its factors (Shapley 1953; as index decomposition Sun 1998, "complete
decomposition", and Ang, Huang and Mu 2009, which show what binds it to Laspeyres indices): each factor's part is the
mean, over all orders in which the factors could change, of what its own change does. So the parts add up to the change
exactly, no order is chosen, and zero or negative amounts need no care, as they would with logarithms (LMDI). Everything
is a fraction: nothing is rounded.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import combinations
from math import factorial
from typing import Any

ZERO = Fraction(0)
WEATHER, ACTIVITY, CARRIERS, SUPPLY, INTENSITY, GAPS = (
    "weather", "activity", "carrier_shares", "supply_mix", "intensity", "data_gaps",
)  # fmt: skip
MEASURES, UNEXPLAINED, REVISIONS = "measures", "unexplained", "data_revisions"
PARTS = (REVISIONS, WEATHER, ACTIVITY, CARRIERS, SUPPLY, GAPS, MEASURES, UNEXPLAINED)
"""Every part of an answer, in the order in which they are told."""
WORDS: Mapping[str, tuple[str, str]] = {
    REVISIONS: ("the earlier period itself is known otherwise than it was then", "이전 기간 자료의 정정"),
    WEATHER: ("other degree days", "날씨(난방·냉방도일) 차이"),
    ACTIVITY: ("more or fewer places in use, and longer or shorter time", "활동량(사용 장소·기간) 변화"),
    CARRIERS: ("another share of each carrier in the energy used", "에너지원별 비중 변화"),
    SUPPLY: ("other factors, and more or less bought for what is used", "공급 구성(배출계수·구입 비율) 변화"),
    GAPS: ("meters that were not heard: not known, not saved", "미수신 계량값(절감이 아님)"),
    MEASURES: (
        "what measures are stated to save, not proved by meters",
        "신고된 조치의 절감량(계량으로 입증되지 않음)",
    ),
    UNEXPLAINED: ("what is left: conduct, measures nobody stated, errors of the models", "설명되지 않은 나머지"),
}


def shapley(factors: Sequence[str], value: Callable[[frozenset[str]], Fraction]) -> dict[str, Fraction]:
    """Give each factor's part of value(all changed) - value(none); `value` is asked once for each set of changed ones.

    The parts add up exactly and do not depend on the order of `factors`.
    """
    count = len(factors)
    found = {
        frozenset(chosen): value(frozenset(chosen))
        for size in range(count + 1)
        for chosen in combinations(factors, size)
    }
    out: dict[str, Fraction] = {}
    for one in factors:
        part = ZERO
        for chosen, before in found.items():
            if one not in chosen:
                weight = Fraction(factorial(len(chosen)) * factorial(count - len(chosen) - 1), factorial(count))
                part += weight * (found[chosen | {one}] - before)
        out[one] = part
    return out


@dataclass(frozen=True, slots=True)
class CarrierState:
    """One carrier in one period, in sub-units.

    `used` is all use, what was not heard filled in; `weather` is what of it other weather than the first period's made;
    `content` the energy of one sub-unit (None: no energy); `kg` emissions as counted; `gap` what they would be by all
    use, divided by that.
    """

    used: Fraction
    weather: Fraction
    content: Fraction | None
    kg: Fraction
    gap: Fraction


@dataclass(frozen=True, slots=True)
class PeriodState:
    """One period: its activity (place-days, or m2-days) and the carriers that can be taken apart."""

    activity: Fraction
    carriers: Mapping[str, CarrierState]


def _factors(period: PeriodState, together: bool) -> dict[str, Any]:
    """Write a period as factors whose product is its emissions, as `_kg` multiplies them.

    Where carriers go together, their energy without weather is activity * intensity, shared out; else each is its own.
    """
    plain = {name: one.used - one.weather for name, one in period.carriers.items()}
    energy = {
        name: plain[name] * one.content for name, one in period.carriers.items() if together and one.content is not None
    }
    whole = sum(energy.values(), ZERO)
    return {
        WEATHER: {name: one.weather for name, one in period.carriers.items()},
        ACTIVITY: period.activity,
        CARRIERS: {name: part / whole for name, part in energy.items()},
        INTENSITY: (
            whole / period.activity,
            {name: part / period.activity for name, part in plain.items() if name not in energy},
        ),
        SUPPLY: {name: one.kg * one.gap / one.used for name, one in period.carriers.items()},
        GAPS: {name: 1 / one.gap for name, one in period.carriers.items()},
    }


def _kg(state: Mapping[str, Any], content: Mapping[str, Fraction]) -> Fraction:
    """Multiply factors out to emissions."""
    of_all, of_each = state[INTENSITY]
    used = {name: state[ACTIVITY] * of_all * part / content[name] for name, part in state[CARRIERS].items()}
    used |= {name: state[ACTIVITY] * part for name, part in of_each.items()}
    return sum(
        ((amount + state[WEATHER][name]) * state[SUPPLY][name] * state[GAPS][name] for name, amount in used.items()),
        ZERO,
    )


def emission_parts(before: PeriodState, after: PeriodState) -> dict[str, Fraction]:
    """Take the change of emissions (kg) apart into the six factors; both periods hold the same carriers.

    Every `used`, `gap` and activity is above zero. Carriers share one intensity where all their energy is above zero.
    """
    if not before.carriers:
        return dict.fromkeys((WEATHER, ACTIVITY, CARRIERS, INTENSITY, SUPPLY, GAPS), ZERO)
    together = all(_energy(one) > 0 for one in (before, after))
    early, late = _factors(before, together), _factors(after, together)
    # one content for both: a revised calorific value is no other use
    content = {name: one.content for name, one in after.carriers.items() if one.content is not None}
    return shapley(list(early), lambda changed: _kg({**early, **{one: late[one] for one in changed}}, content))


def _energy(period: PeriodState) -> Fraction:
    """Give the energy used without weather's part."""
    return sum(
        ((one.used - one.weather) * one.content for one in period.carriers.values() if one.content is not None), ZERO
    )


@dataclass(frozen=True, slots=True)
class RatioState:
    """Self-sufficiency in one period: what was made or matched, what was used, activity, and weather's part of use."""

    own: Fraction
    used: Fraction
    weather: Fraction
    activity: Fraction


def ratio_parts(before: RatioState, after: RatioState) -> dict[str, Fraction] | str:
    """Take the change of own / used apart into weather, activity, intensity and supply (`own`), or say why not."""
    early, late = (
        {
            WEATHER: one.weather, ACTIVITY: one.activity, INTENSITY: (one.used - one.weather) / one.activity,
            SUPPLY: one.own,
        }
        for one in (before, after)
    )  # fmt: skip

    def use(state: Mapping[str, Fraction]) -> Fraction:
        return state[ACTIVITY] * state[INTENSITY] + state[WEATHER]

    mixes = [
        {**early, **{one: late[one] for one in chosen}} for size in range(5) for chosen in combinations(early, size)
    ]
    if any(use(state) <= 0 for state in mixes):
        return "weather and use leave nothing to divide by"
    return shapley(
        list(early),
        lambda changed: (state := {**early, **{one: late[one] for one in changed}})[SUPPLY] / use(state),
    )
