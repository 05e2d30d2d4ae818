"""The questions on bills: a dwelling's month, and what using less pays. Times are text, read on the city's clock."""

from quintet.access import Access

from .answers_bills import Allocation, BillExplained, DwellingBills, Incentives
from .asked import known_at_of
from .bill_allocation import allocate
from .bill_explained import explained
from .bill_incentives import dwelling_incentives
from .bills import dwelling_bills


class BillQuestions:
    """Answers one reader's questions on bills; raises as `Questions` does."""

    def __init__(self, access: Access) -> None:
        """Ask through one reader's access."""
        self._access = access

    def month(self, place: str, month: str, known_at: str | None = None) -> DwellingBills:
        """Give a dwelling's bills of a month, as 2025-10: issued ones as they were issued, the others reckoned."""
        tz = self._access.registry().tz
        return dwelling_bills(self._access, place, month, known_at_of(known_at, tz), tz)

    def incentives(self, place: str, month: str, known_at: str | None = None) -> Incentives:
        """Give what using less pays a dwelling in a month and its half-year, and what one more percent would."""
        tz = self._access.registry().tz
        return dwelling_incentives(self._access, place, month, known_at_of(known_at, tz), tz)

    def explain(
        self, place: str, month: str, commodity: str | None = None, known_at: str | None = None
    ) -> BillExplained:
        """Explain the bills issued of a dwelling's month: evidence, what is known now, adjustments."""
        tz = self._access.registry().tz
        return explained(self._access, place, month, commodity, known_at_of(known_at, tz), tz)

    def allocate(
        self, place: str, month: str, commodity: str, common_won: int | None = None, known_at: str | None = None
    ) -> Allocation:
        """Share a complex' bill of a month over its flats."""
        tz = self._access.registry().tz
        return allocate(self._access, place, month, commodity, common_won, known_at_of(known_at, tz), tz)
