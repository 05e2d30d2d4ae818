"""Commands on the audit chain."""

from typing import Annotated

from cyclopts import Parameter

from .options import Common, KnownAt, ask
from .requests import AuditList, AuditVerify


def audit_list(
    *,
    limit: Annotated[int, Parameter(help="At most this many, newest first.")] = 100,
    before: Annotated[int | None, Parameter(help="Go on below this number: the next page.")] = None,
    known_at: KnownAt = None,
    common: Common | None = None,
) -> int:
    """List the audit records: edits, events, decisions, and all else that was stated, closed, dismissed or tried."""
    return ask(common, AuditList(limit, before, known_at))


def audit_verify(
    *,
    head: Annotated[str | None, Parameter(help="A head noted earlier: it must be in the chain.")] = None,
    common: Common | None = None,
) -> int:
    """Prove that no record was changed, removed or added, and that what they tell of is as they tell."""
    return ask(common, AuditVerify(head))
