"""What stands behind the addresses for the books: the same operations as the commands have, each in its turn."""

from collections.abc import Callable

from quintet.ingest.http_books import (
    BehindBooks,
    Decided,
    FactorSetOrder,
    MeasureOrder,
    Order,
    PinOrder,
    PublishOrder,
    ReleaseOrder,
    TargetOrder,
    TargetWithdrawOrder,
)
from quintet.store.audit import entries

from .answer import no_progress
from .answers_emissions import emissions_publish, factor_set_make
from .answers_open import open_release
from .answers_selfsufficiency import definition_pin
from .answers_targets import measure_state, target_set, target_withdraw
from .city import City
from .requests import (
    DefinitionPin,
    EmissionsPublish,
    FactorSetMake,
    MeasureState,
    OpenRelease,
    TargetSet,
    TargetWithdraw,
)
from .turns import Turns


def _pin(city: City, said: PinOrder, _source: str) -> None:
    definition_pin(city, DefinitionPin(said.definition, said.since, said.by, said.reason), no_progress)


def _publish(city: City, said: PublishOrder, _source: str) -> None:
    asked = EmissionsPublish(
        said.name, said.start, said.end, said.resolution, said.place, said.by, said.reason, said.gwp, said.factor_set,
        said.count_at,
    )  # fmt: skip
    emissions_publish(city, asked, no_progress)


def _make_set(city: City, said: FactorSetOrder, _source: str) -> None:
    factor_set_make(city, FactorSetMake(said.name, said.by, said.reason, said.base, said.rows), no_progress)


def _aim(city: City, said: TargetOrder, _source: str) -> None:
    asked = TargetSet(said.place, said.year, said.metric, said.of, said.value, said.by, said.reason)
    target_set(city, asked, no_progress)


def _drop(city: City, said: TargetWithdrawOrder, _source: str) -> None:
    asked = TargetWithdraw(said.place, said.year, said.metric, said.of, said.by, said.reason)
    target_withdraw(city, asked, no_progress)


def _measure(city: City, said: MeasureOrder, _source: str) -> None:
    asked = MeasureState(
        said.name, said.place, said.commodity, said.since, said.saves, said.what, said.by, said.reason
    )  # fmt: skip
    measure_state(city, asked, no_progress)


def _release(city: City, said: ReleaseOrder, source: str) -> None:
    open_release(city, OpenRelease(said.start, said.end, said.by, said.reason, source), no_progress)


DECISIONS: dict[type[Order], tuple[str, Callable[..., None]]] = {
    PinOrder: ("definition_pin", _pin),
    PublishOrder: ("emissions_publish", _publish),
    FactorSetOrder: ("factor_set_make", _make_set),
    TargetOrder: ("target_set", _aim),
    TargetWithdrawOrder: ("target_withdraw", _drop),
    MeasureOrder: ("measure_state", _measure),
    ReleaseOrder: ("open_release", _release),
}
"""The operation behind each order, and its name."""


def books_behind(city: City, turns: Turns, patience_s: float) -> BehindBooks:
    """Give what keeps decisions of an open city; who waits longer than `patience_s` is turned away."""

    def decide(said: Order, source: str) -> Decided:
        action, work = DECISIONS[type(said)]
        with turns.mine(patience_s):
            before = _newest(city)
            work(city, said, source)
            newest = _newest(city)
        return Decided(action, said.by.strip(), said.reason.strip(), newest > before, city.engine.last_batch, newest)

    return BehindBooks(city.tokens.admit, decide)


def _newest(city: City) -> int:
    """Give the number of the newest audit record; 0 where there is none."""
    with city.engine.snapshot() as snapshot:
        found = entries(snapshot, limit=1)
    return int(found["seq"][0].as_py()) if found.num_rows else 0
