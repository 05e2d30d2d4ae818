"""Operations by which an operator records what happened: an exchange of meters, a rewiring, people moving."""

from datetime import datetime
from decimal import Decimal, InvalidOperation
from typing import Any

from quintet.pipeline.commit import Receipt
from quintet.registry import exchange, move_in, move_out, rewire
from quintet.store.records import Record
from quintet.terms.errors import UsageError
from quintet.terms.period import parse_moment
from quintet.terms.reading import ValueKind
from quintet.terms.tables import QUARANTINE

from .answer import Answer, Progress, Step, document_of
from .cells import local, rows_of
from .city import City
from .requests import MoveIn, MoveOut, RegistryExchange, RegistryRewire

CUMULATIVE = (ValueKind.REGISTER_CUMULATIVE, ValueKind.REGISTER_DAILY_RESET)


def registry_exchange(city: City, asked: RegistryExchange, progress: Progress) -> Answer:
    """Replace a meter at a moment; its last and the new one's first register come in as all readings do."""
    registry = city.registry()
    at = parse_moment(asked.at, registry.tz)
    final, first = _register(asked.old_final, "--old-final"), _register(asked.new_first, "--new-first")
    kind = registry.channel_by_name(asked.old).reading.value_kind
    if kind not in CUMULATIVE and not (final is None and first is None):
        raise UsageError(
            f"reports {kind.value}: it has no register.",
            code="no_register",
            place=asked.old,
            remedy="Leave out --old-final and --new-first.",
        )
    done = exchange(registry, old=asked.old, new=asked.new, at=at, old_final=final, new_first=first)
    _commit(city, done.records, f"exchange of {asked.old}", asked.actor, progress)
    receipt = Receipt()
    if done.readings.num_rows:
        parts = [(done.readings, QUARANTINE.empty_table())]
        receipt = city.pipeline.commit(parts, source=f"exchange of {asked.old}", actor=asked.actor)
    facts = {"old": asked.old, "new": asked.new["meter"], "at": local(at, registry.tz), "readings": receipt.accepted}
    notes = []
    if receipt.quarantined:
        notes.append(f"{receipt.quarantined} of the registers cannot be taken: see `quintet quarantine list`.")
    return _said(facts, notes, exit_code=int(bool(receipt.quarantined)))


def registry_rewire(city: City, asked: RegistryRewire, progress: Progress) -> Answer:
    """Correct, from a moment on, where a meter counts; every answer for later times follows."""
    registry = city.registry()
    at = parse_moment(asked.valid_from, registry.tz)
    said = {"place": asked.place, "usage_point": asked.usage_point, "role": asked.role}
    where = {name: one for name, one in said.items() if one is not None}
    records = rewire(registry, asked.channel, valid_from=at, **where)
    return _recorded(city, records, {"channel": asked.channel, **where}, at, asked.actor, progress)


def registry_move_in(city: City, asked: MoveIn, progress: Progress) -> Answer:
    """Let someone move into a premise."""
    registry = city.registry()
    at = parse_moment(asked.at, registry.tz)
    records = move_in(registry, premise=asked.premise, occupant=asked.occupant, at=at)
    return _recorded(city, records, {"premise": asked.premise, "occupant": asked.occupant}, at, asked.actor, progress)


def registry_move_out(city: City, asked: MoveOut, progress: Progress) -> Answer:
    """Let whoever lives in a premise move out."""
    registry = city.registry()
    at = parse_moment(asked.at, registry.tz)
    records = move_out(registry, premise=asked.premise, at=at)
    return _recorded(city, records, {"premise": asked.premise}, at, asked.actor, progress)


def refresh(city: City, progress: Progress) -> None:
    """Sum the closed days anew after the registry changed: answers are right before, and fast again after."""
    city.refresh_flows(lambda day: progress(Step(f"summing {day} anew")))


def _recorded(
    city: City, records: list[Record], facts: dict[str, Any], at: datetime, actor: str, progress: Progress
) -> Answer:
    _commit(city, records, " ".join(str(fact) for fact in facts.values()), actor, progress)
    told = {**facts, "from": local(at, city.registry().tz), "changed": bool(records)}
    return _said(told, [] if records else ["That is what the registry says already; nothing was changed."])


def _commit(city: City, records: list[Record], source: str, actor: str, progress: Progress) -> None:
    """Commit statements, and mend what was summed by those before."""
    city.pipeline.apply_records(records, kind="registry", source=source, actor=actor)
    if records:
        refresh(city, progress)


def _register(text: str | None, option: str) -> float | None:
    """Read a register as a person types it."""
    if text is None:
        return None
    try:
        number = Decimal(text)
    except InvalidOperation:
        number = Decimal("nan")
    if not number.is_finite() or number < 0:
        raise UsageError(f"{option} {text!r} is no register.", code="bad_register", remedy="Write it like 1234.5.")
    return float(number)


def _said(facts: dict[str, Any], notes: list[str], exit_code: int = 0) -> Answer:
    columns = list(facts)
    return Answer(columns, rows_of(columns, [facts]), document_of(facts), notes=notes, exit_code=exit_code)
