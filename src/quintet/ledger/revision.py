"""A published figure beside the same figure now: what each cause did to it, in parts that add up to the last digit.

The figure is computed again and again, one cause changed at a time, in a fixed order; each part is the difference of
two neighbours, so that all parts together are exactly the difference of the first and the last.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from .factor_sets import PARTS, Content, FactorSet, set_of
from .inventory import Inventory

Figures = Mapping[str, Fraction]
"""kg CO2e by the name of a sum."""
SUMS = ("scope_1", "scope_2", "scope_3", "total", "scope_2_market")
METHOD, READINGS, REGISTRY = "method", "readings", "registry"
CAUSES: Mapping[str, tuple[str, str]] = {
    METHOD: ("the program counts otherwise", "계산 방법이 바뀜"),
    READINGS: ("readings that came or were revised since", "이후 도착하거나 정정된 검침값"),
    REGISTRY: ("places, meters and plants as they are now registered", "등록 정보(장소, 계량기, 설비) 변경"),
    "calorific": ("revised calorific values", "발열량 개정"),
    "factor": ("revised or newer factors", "배출계수 개정"),
    "source": ("other flows count", "산정 대상 변경"),
    "gwp": ("other warming potentials", "지구온난화지수 변경"),
    "supply": ("another mix of what is supplied (heat plants, grid)", "열원·전원 구성 변경"),
    "contract": ("contracts and certificates", "계약·인증서 변경"),
    "hourly": ("hourly factors", "시간대별 계수 변경"),
    "choice": ("where energy made here is counted", "지역 생산 에너지의 산정 위치 변경"),
}


@dataclass(frozen=True, slots=True)
class Part:
    """What one cause did to each sum, in kg; `rows` names the data rows that changed, where the cause is data."""

    cause: str
    kg: Figures
    rows: tuple[str, ...] = ()


def figures_of(found: Inventory) -> dict[str, Fraction]:
    """Give an inventory's sums."""
    by_scope = {f"scope_{number}": found.kg(number) for number in (1, 2, 3)}
    return {**by_scope, "total": found.kg(1, 2, 3), "scope_2_market": found.market_kg}


def stored(figures: Figures) -> dict[str, str]:
    """Write figures as exact text, which a record keeps."""
    return {name: str(kg) for name, kg in figures.items()}


def read_stored(body: Mapping[str, Any]) -> dict[str, Fraction]:
    """Read what `stored` wrote."""
    return {name: Fraction(text) for name, text in body.items()}


def between(before: Content, after: Content) -> list[tuple[str, FactorSet, tuple[str, ...]]]:
    """Give the sets between two contents, one part changed at a time: the part, the set, and the rows that changed."""
    out: list[tuple[str, FactorSet, tuple[str, ...]]] = []
    content = before
    for part in PARTS:
        old, new = before[part], after[part]
        if old == new:
            continue
        content = {**content, part: new}
        rows = tuple(sorted(name for name in old.keys() | new.keys() if old.get(name) != new.get(name)))
        out.append((part, _lenient(part, content, before, after), rows))
    return out


def _lenient(part: str, content: Content, before: Content, after: Content) -> FactorSet:
    """Build a set that stands between two; rows that only one of them has stay as long as another row names them."""
    kept = {**before["factor"], **content["factor"]} if part in ("calorific", "factor", "source", "gwp") else None
    return set_of(f"between: {part}", {**content, "factor": kept} if kept else {**content, "factor": after["factor"]})


def parts_of(published: Figures, steps: Sequence[tuple[str, Figures, tuple[str, ...]]]) -> list[Part]:
    """Give what each step did: the difference to the one before it."""
    out: list[Part] = []
    before = published
    for cause, figures, rows in steps:
        out.append(Part(cause, {name: figures[name] - before[name] for name in SUMS}, rows))
        before = figures
    return out


def revise(
    published: Figures,
    old: FactorSet,
    new: FactorSet,
    compute: Callable[[FactorSet, str], Inventory],
) -> list[Part]:
    """Explain the difference between a published figure and the same one now.

    `compute` gives the inventory by a set, of data as of "then" (readings and registry of the publication), "readings"
    (the readings of now) or "now". Causes that did nothing are left out.
    """
    steps = [
        (METHOD, figures_of(compute(old, "then")), ()),
        (READINGS, figures_of(compute(old, READINGS)), ()),
        (REGISTRY, figures_of(compute(old, "now")), ()),
        *((part, figures_of(compute(chosen, "now")), rows) for part, chosen, rows in between(old.content, new.content)),
    ]
    return [part for part in parts_of(published, steps) if any(part.kg.values())]
