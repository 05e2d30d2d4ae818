"""Supply against use as a person reads it: the balance rows of the contract, exact, with what is derived named."""

from collections.abc import Iterable
from datetime import datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from quintet.access import Access
from quintet.ledger.balance import SOURCES, USES, rows_for_people
from quintet.terms.commodity import Commodities
from quintet.terms.period import Resolution, Span

from .answers import BalanceRow, Balances
from .asked import MOST_BALANCES, check_size
from .netted import Netted, read
from .series import share

SUPPLY = ("import", *SOURCES)


def place_balances(
    access: Access, place: str, span: Span, resolution: Resolution, known_at: datetime | None, tz: ZoneInfo
) -> Balances:
    """Give a place's balance rows. Raises NotFound for a place that is none, UsageError for too many periods."""
    check_size(span, resolution, MOST_BALANCES)
    found = read(access, place, span, resolution, known_at)
    flows = found.flows
    rows = balance_rows(found, access.registry().commodities, tz)
    return Balances(flows.known_at.astimezone(tz), flows.rule_set, rows)


def balance_rows(found: Netted, commodities: Commodities, tz: ZoneInfo) -> list[BalanceRow]:
    """Balance a place's flows: one row a period, commodity and unit."""
    return [balance_row(row) for row in rows_for_people(found.balance(commodities), tz)]


def balance_row(row: dict[str, Any]) -> BalanceRow:
    """Give a row of `rows_for_people` as an answer."""
    said = {("import_" if name == "import" else name): value for name, value in rounded(row).items()}
    return BalanceRow(**said)


def rounded(row: dict[str, Any]) -> dict[str, Any]:
    """Give a row with its shares, which alone are floats, as they are shown."""
    return {name: share(value) if isinstance(value, float) else value for name, value in row.items()}


def supply_of(row: BalanceRow) -> Decimal | None:
    """Sum what came in or was made; None where a term is not known."""
    return _sum(amount(row, name) for name in SUPPLY)


def use_of(row: BalanceRow) -> Decimal | None:
    """Sum what was used, stored, sent out or lost; None where a term is not known."""
    return _sum(amount(row, name) for name in USES)


def amount(row: BalanceRow, flow: str) -> Decimal | None:
    """Give a flow of a row by its name in the contract."""
    return getattr(row, "import_" if flow == "import" else flow)


def _sum(amounts: Iterable[Decimal | None]) -> Decimal | None:
    total = Decimal(0)
    for one in amounts:
        if one is None:
            return None
        total += one
    return total
