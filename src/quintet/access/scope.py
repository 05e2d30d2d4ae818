"""What a reader may see: places, from when until when, how fine, and who he is."""

from collections.abc import Set
from dataclasses import dataclass
from datetime import UTC, tzinfo

from quintet.store.records import ALWAYS, FOREVER
from quintet.terms.errors import Forbidden, NotFound, QuintetError
from quintet.terms.length import DAY_MIN
from quintet.terms.period import from_us

from .roles import Role


@dataclass(frozen=True, slots=True)
class Want:
    """What is asked of a place: its span in microseconds (None: no readings), and the step (0: each reading).

    `dwelling`: it is one dwelling's; `dwellings`: how many are below it; `commodity`: of one carrier only (ANY: of
    those that he may see). `tz`: the clock on which a refusal names moments. `apart`: taken from another total that is
    told, it leaves too few dwellings.
    """

    span_us: tuple[int, int] | None = None
    step_min: int = 0
    dwelling: bool = False
    dwellings: int = 0
    commodity: str | None = None
    tz: tzinfo = UTC
    apart: bool = False

    def few(self, mix: int) -> bool:
        """Tell whether it gives away single dwellings to who is told of so many together only."""
        return self.dwellings > 0 and (self.dwellings < mix or (self.apart and mix > 0))


JUST_THE_PLACE = Want()
ANY = "*"


@dataclass(frozen=True, slots=True)
class Grant:
    """A right to a place and all below it: readings of [from_us, until_us), as fine as the role; `id` names a consent.

    Of `commodities` only, where they are named.
    """

    place: str
    role: Role
    from_us: int = ALWAYS
    until_us: int = FOREVER
    commodities: frozenset[str] | None = None
    purpose: str = ""
    id: str = ""

    @property
    def dated(self) -> bool:
        """Whether it ends or begins at some moment."""
        return self.from_us > ALWAYS or self.until_us < FOREVER

    def refusal(self, place: str, want: Want, reason: str) -> Forbidden | None:
        """Say why this grant does not allow what is wanted; None where it does."""
        if self.commodities is not None and want.span_us and want.commodity not in {ANY, *self.commodities}:
            return other_utility(place, self.commodities)
        if want.span_us is None:
            return _forbidden("only_totals", "is one dwelling.", place, TOTALS) if self._no_dwelling(want) else None
        return self._out_of_time(place, want.span_us, want.tz) or self._too_fine(place, want, reason)

    def _no_dwelling(self, want: Want) -> bool:
        return want.dwelling and self.role.finest_min is None

    def _out_of_time(self, place: str, span_us: tuple[int, int], tz: tzinfo) -> Forbidden | None:
        if span_us[0] < self.from_us:
            first = from_us(self.from_us).astimezone(tz).isoformat()
            return _forbidden(
                "before_your_time", "begins before your time here.", place, f"Ask from {first} on.", since=first
            )
        if span_us[1] > self.until_us:
            last = from_us(self.until_us).astimezone(tz).isoformat()
            return _forbidden("after_your_time", "ends after your time here.", place, f"Ask until {last}.", until=last)
        return None

    def _too_fine(self, place: str, want: Want, reason: str) -> Forbidden | None:
        role = self.role
        if self._no_dwelling(want):
            return _forbidden("only_totals", "is one dwelling.", place, TOTALS)
        if want.dwelling or want.few(role.mix):
            if role.finest_min is not None and want.step_min < role.finest_min:
                step = "month" if role.finest_min > DAY_MIN else "day"
                whose, said = _whose(place, want, role.mix)
                return _forbidden("too_fine_for_role", whose, place, f"Ask by the {step}.", step=step, **said)
            if want.step_min < role.reason_below_min and not reason:
                return _forbidden("reason_needed", "is a family's day.", place, REASON)
        return None


TOTALS = "Ask for a place that holds many dwellings: totals only are yours to read."
REASON = "Say why in the header Quintet-Reason; those who live there can read it."


@dataclass(frozen=True, slots=True)
class Scope:
    """A reader, the places that are his without bounds (None: the whole city), and what he was granted with bounds.

    `reason` is what he said he reads for.
    """

    reader: str
    places: frozenset[str] | None
    grants: tuple[Grant, ...] = ()
    reason: str = ""

    @property
    def unbounded(self) -> bool:
        """Whether all of the city is his."""
        return self.places is None

    @property
    def discreet(self) -> bool:
        """Whether he is not told what exists: every right that he has is of such a role."""
        return bool(self.grants) and not self.places and all(grant.role.discreet for grant in self.grants)

    def held(self, above: Set[str]) -> list[Grant]:
        """Give the grants of a place, of which `above` is the place with all its ancestors."""
        return [grant for grant in self.grants if grant.place in above]

    def sees(self, above: Set[str]) -> bool:
        """Tell whether a place is granted or below one that is, at any time."""
        return self.places is None or bool(self.places & above) or any(grant.place in above for grant in self.grants)

    def check(self, place: str, above: Set[str], want: Want = JUST_THE_PLACE) -> Grant | None:
        """Refuse what is not granted; give the grant that allowed it, None where the place is his without bounds.

        Of several, one that gives more than what passes the floor.
        """
        if self.places is None or self.places & above:
            return None
        held = self.held(above)
        refusals: list[Forbidden] = []
        for grant in sorted(held, key=lambda one: one.role.floor):
            refusal = grant.refusal(place, want, self.reason)
            if refusal is None:
                return grant
            refusals.append(refusal)
        raise refusals[0] if refusals else self.not_yours(place)

    def not_yours(self, place: str) -> QuintetError:
        """Say that a place is not his: to the discreet as if it did not exist."""
        if self.discreet:
            return NotFound(
                "there is nothing of that name for you.",
                code="not_here",
                place=place,
                remedy="Your own dwelling is on your page.",
            )
        return _forbidden("forbidden", "is not yours to read.", place, "Ask the city's operator for the right to it.")


def _whose(place: str, want: Want, mix: int) -> tuple[str, dict[str, object]]:
    """Say why a place is told as coarsely as one dwelling, and with which figures."""
    if want.dwelling:
        return "is one dwelling.", {}
    if want.dwellings < mix:
        return f"holds only {want.dwellings} dwellings.", {"dwellings": want.dwellings}
    return "leaves only a few dwellings when it is taken from another total that is told.", {"beside": place}


def other_utility(place: str, agreed: Set[str]) -> Forbidden:
    """Say that a utility is not among those that were agreed to."""
    allowed = ", ".join(sorted(agreed))
    return _forbidden(
        "other_utility", "holds more than was agreed to.", place, f"Agreed to: {allowed}.", utilities=allowed
    )


def _forbidden(code: str, message: str, place: str, remedy: str, **said: object) -> Forbidden:
    return Forbidden(message, code=code, place=place, remedy=remedy, said=said)


EVERYTHING = Scope("operator", None)
"""The operator at the machine itself: who can open the city's folder can read it all."""
