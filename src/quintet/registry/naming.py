"""Channel names: SITE/METER, or SITE/METER:COMMODITY where a meter has several reading types; a name never changes."""

from collections.abc import Callable, Mapping, Sequence
from operator import itemgetter

from .layout import Fault, MeterRow
from .timeline import Body

DUPLICATE = Fault("duplicate_meter", "several rows cannot be told apart. Keep one row for each reading type.")
AMBIGUOUS = Fault("bad_name", "its name also means another meter. Use no '/' in site, building and premise.")
NAMELESS = Fault("bad_name", "has no site or no meter. Fill both columns.")


def name_rows(
    rows: Sequence[MeterRow], known: Callable[[str], Body | None]
) -> tuple[list[tuple[str, MeterRow]], list[tuple[MeterRow, Fault]]]:
    """Give each row its channel name, in order of name, and the rows that can have none.

    `known` gives the body of a channel that exists already. Rows that say the same are one.
    """
    singles: dict[str, MeterRow] = {}
    groups: dict[str, list[MeterRow]] = {}
    problems: list[tuple[MeterRow, Fault]] = []
    for row in rows:
        if not row.site or not row.meter:
            problems.append((row, NAMELESS))
        elif "/" in row.site or "/" in (row.building or "") or "/" in (row.premise or ""):
            problems.append((row, AMBIGUOUS))
        else:
            base = f"{row.site}/{row.meter}"
            first = singles.setdefault(base, row)
            if first is not row:
                groups.setdefault(base, [first]).append(row)
    named = [(_single(base, row, known), row) for base, row in singles.items() if base not in groups]
    for base, group in groups.items():
        for name, row in _several(base, group, known).items():
            if isinstance(row, MeterRow):
                named.append((name, row))
            else:
                problems += [(twin, DUPLICATE) for twin in row]
    return _unmistakable(sorted(named, key=itemgetter(0)), problems, known)


def _single(base: str, row: MeterRow, known: Callable[[str], Body | None]) -> str:
    """Name the only row of a meter; one that was listed beside others keeps the name it got then."""
    longer = f"{base}:{row.stated.commodity}"
    return longer if known(base) is None and known(longer) is not None else base


def _several(
    base: str, group: list[MeterRow], known: Callable[[str], Body | None]
) -> Mapping[str, MeterRow | list[MeterRow]]:
    """Name the rows of a meter with several reading types; a type that was its only one before keeps the short name."""
    different = {row._replace(row=0).__repr__(): row for row in sorted(group, key=lambda row: -row.row)}
    rows = list(different.values())
    if len(rows) == 1:
        return {_single(base, rows[0], known): rows[0]}
    first = known(base)
    out: dict[str, list[MeterRow]] = {}
    for row in rows:
        kept = first is not None and (first["word"], first["role"]) == (row.stated.commodity, row.stated.role)
        out.setdefault(base if kept else f"{base}:{row.stated.commodity}", []).append(row)
    return {name: rows[0] if len(rows) == 1 else rows for name, rows in _by_role(out).items()}


def _by_role(named: dict[str, list[MeterRow]]) -> dict[str, list[MeterRow]]:
    """Tell reading types of one commodity apart by their role, where that does it."""
    out: dict[str, list[MeterRow]] = {}
    for name, rows in named.items():
        roles = {row.stated.role for row in rows}
        if len(rows) > 1 and len(roles) == len(rows):
            out.update({f"{name}-{row.stated.role}": [row] for row in rows})
        else:
            out[name] = rows
    return out


def _unmistakable(
    named: list[tuple[str, MeterRow]],
    problems: list[tuple[MeterRow, Fault]],
    known: Callable[[str], Body | None],
) -> tuple[list[tuple[str, MeterRow]], list[tuple[MeterRow, Fault]]]:
    """Refuse rows whose name is that of another meter (`a/b` may be spelt by two meters once colons are in play)."""
    counts: dict[str, int] = {}
    for name, _ in named:
        counts[name] = counts.get(name, 0) + 1
    good: list[tuple[str, MeterRow]] = []
    for name, row in named:
        body = known(name)
        clash = body is not None and (body["site"], body["meter"]) != (row.site, row.meter)
        if clash or counts[name] > 1:
            problems.append((row, AMBIGUOUS))
        else:
            good.append((name, row))
    return good, problems
