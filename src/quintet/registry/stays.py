"""Households of a dwelling, each by a name that says where and since when: what is kept of one is sealed under it."""

from collections.abc import Callable, Iterable, Mapping, Sequence

from quintet.store.records import ALWAYS, FOREVER

from .households import DWELLING, own_time
from .people import People, stands
from .person import RESIDENT, Person
from .snapshot import Registry


def residents_since(
    registry: Registry, people: People, places: Iterable[str], *, last: bool = False
) -> Mapping[str, int]:
    """Give for each of some dwellings since when the first of those who have an account and live there now may see it.

    None of a dwelling where nobody is, or where somebody may see all that is known of it. `last`: of the last of them,
    in place of the first.
    """
    now_us, wanted = people.now_us(), frozenset(places)
    out: dict[str, int] = {}
    for person in people.listed() if people.present else ():
        rights = () if person.profile.disabled_us else person.rights.values()
        for right in rights:
            if right.role != RESIDENT or right.place not in wanted or not stands(right, now_us):
                continue
            time = own_time(registry, right.place, right.from_us, right.until_us)
            if time is not None and time[0] <= now_us < time[1]:
                out[right.place] = (max if last else min)(out.get(right.place, time[0]), time[0])
    return {place: begins for place, begins in out.items() if begins > ALWAYS}


class Stays:
    """The stays that the registry knows of, and which of them end with a person."""

    def __init__(self, registry: Callable[[], Registry], people: People) -> None:
        """Ask `registry` for the registry as it stands."""
        self._registry = registry
        self._people = people

    def of(self, place: str, from_us: int, until_us: int) -> tuple[str, ...]:
        """Name the stays that [from_us, until_us) touches, times between two of them too.

        One for all time where nobody stated who lives there, and of a place above dwellings.
        """
        registry = self._registry()
        cuts = [ALWAYS]
        if place in registry.tree and registry.tree.bodies[place].get("level") == DWELLING:
            cuts += sorted({at for one in registry.occupancies(place) for at in (one.start_us, one.end_us)} - {ALWAYS})
        ends = [*cuts[1:], FOREVER]
        touched = [start for start, end in zip(cuts, ends, strict=True) if start < until_us and from_us < end]
        return tuple(f"stay:{place}:{start}" for start in touched or cuts[-1:])

    def ending_with(self, person: Person) -> Sequence[str]:
        """Name the stays of which nobody is left who has an account, once a person is gone."""
        out: list[str] = []
        for place, start, end in self._homes(person):
            others = [
                time
                for other in self._people.listed()
                if other.id != person.id
                for time in self._homes(other)
                if time[0] == place and time[1] < end and start < time[2]
            ]
            if not others:
                out += self.of(place, start, end)
        return out

    def _homes(self, person: Person) -> list[tuple[str, int, int]]:
        registry = self._registry()
        times = [
            (right.place, own_time(registry, right.place, right.from_us, right.until_us))
            for right in person.rights.values()
            if right.role == RESIDENT
        ]
        return [(place, *time) for place, time in times if time is not None]
