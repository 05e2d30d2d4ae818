"""Whose time in a dwelling is whose: a resident's right ends where the registry says that somebody else lives there."""

from quintet.store.records import ALWAYS, FOREVER
from quintet.terms.errors import BadInput
from quintet.terms.period import from_us

from .snapshot import Registry

DWELLING = "premise"


def own_time(registry: Registry, place: str, from_us: int, until_us: int) -> tuple[int, int] | None:
    """Give the part of [from_us, until_us) in which the same household lives in a dwelling; None where there is none.

    Where the registry knows who lived there at `from_us`, that household's stay bounds it; else the next move does.
    """
    if place not in registry.tree:
        return None
    for stay in registry.occupancies(place):
        if stay.start_us <= from_us < stay.end_us:
            until_us = min(until_us, stay.end_us)
            break
        if from_us < stay.start_us:
            until_us = min(until_us, stay.start_us)
            break
    return (from_us, until_us) if from_us < until_us else None


def stay_of(registry: Registry, place: str, at_us: int) -> tuple[int, int] | None:
    """Give the stay in a dwelling that holds a moment; where nobody lives there, from then on; None of other places."""
    if place not in registry.tree or registry.tree.bodies[place]["level"] != DWELLING:
        return None
    stay = next((one for one in registry.occupancies(place) if one.start_us <= at_us < one.end_us), None)
    return own_time(registry, place, at_us if stay is None else stay.start_us, FOREVER)


def moved_in(registry: Registry, place: str, now_us: int, asked_us: int | None) -> int:
    """Give from when on who is invited to a dwelling may see it: since the present household moved in; else from now.

    Raises BadInput for a place that is no dwelling, for an earlier moment than the household's own, and, where a move
    to come is known and no moment is asked for, because nobody can tell which of the two households is meant.
    """
    registry.need_place(place)
    if registry.tree.bodies[place]["level"] != DWELLING:
        raise BadInput("is no dwelling.", code="no_dwelling", place=place, remedy="Name a place of level premise.")
    stays = registry.occupancies(place)
    stay = next((one for one in stays if one.start_us <= now_us < one.end_us), None)
    past = [one for one in stays if one.end_us <= now_us]
    comes = next((one for one in stays if one.start_us > now_us), None)
    if asked_us is None and stay is not None and comes is not None:
        begins = [from_us(max(one.start_us, 0)).astimezone(registry.tz).isoformat() for one in (stay, comes)]
        raise BadInput(
            "another household moves in later, and the invitation says not for which one it is.",
            code="whose_home",
            place="--from",
            remedy=f"--from {begins[0]} for who lives there now, --from {begins[1]} for who comes.",
        )
    earliest = stay.start_us if stay is not None else (past[-1].end_us if past else ALWAYS)
    if asked_us is not None and asked_us < earliest:
        raise BadInput(
            f"others lived there before {from_us(earliest).astimezone(registry.tz).isoformat()}.",
            code="before_move_in",
            place="--from",
            remedy="Give that moment or a later one.",
        )
    return asked_us if asked_us is not None else (stay.start_us if stay is not None else now_us)


def whole(from_us: int, until_us: int) -> tuple[int | None, int | None]:
    """Give bounds as people write them: None for ever."""
    return (None if from_us <= ALWAYS else from_us), (None if until_us >= FOREVER else until_us)
