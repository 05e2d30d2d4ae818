"""Operations on the tokens by which the doors know who sends."""

from typing import Any

from quintet.access.identities import may_hand_out
from quintet.access.roles import role_named
from quintet.registry import Registry
from quintet.registry.tokens import Token
from quintet.terms.period import from_us, parse_moment, to_us

from .answer import Answer, Progress, document_of
from .cells import local, rows_of
from .city import City
from .requests import TokenCreate, TokenList, TokenRevoke

COLUMNS = ["id", "source", "may", "place", "role", "created", "until", "revoked"]


def token_create(city: City, asked: TokenCreate, _progress: Progress) -> Answer:
    """Make a token; this answer alone holds its secret."""
    registry = city.registry()
    until = 0 if asked.until is None else to_us(parse_moment(asked.until, registry.tz))
    if asked.role and asked.place:
        may_hand_out(registry, asked.role, asked.place)
    elif asked.role:
        role_named(asked.role)
    elif asked.place:
        registry.need_place(asked.place)
    made, secret = city.tokens.create(
        asked.source, tuple(asked.may), actor=asked.actor, until_us=until, place=asked.place, role=asked.role
    )
    row = {"token": secret, **_row(made, city.registry())}
    columns = list(row)
    note = "Keep the token now: it is not shown again, and Quintet keeps no more than its digest."
    return Answer(columns, rows_of(columns, [row]), document_of(row), notes=[note])


def token_list(city: City, _asked: TokenList, _progress: Progress) -> Answer:
    """Give all tokens, without what proves them."""
    registry = city.registry()
    rows = [_row(one, registry) for one in city.tokens.listed()]
    return Answer(COLUMNS, rows_of(COLUMNS, rows), document_of({"tokens": rows}), title=f"{len(rows)} tokens")


def token_revoke(city: City, asked: TokenRevoke, _progress: Progress) -> Answer:
    """End a token: the next request with it is refused."""
    row = _row(city.tokens.revoke(asked.id, actor=asked.actor), city.registry())
    return Answer(COLUMNS, rows_of(COLUMNS, [row]), document_of(row))


def _row(token: Token, registry: Registry) -> dict[str, Any]:
    ended = token.revoked_us
    return {
        "id": token.id,
        "source": token.source,
        "may": list(token.may),
        "place": token.place or None,
        "role": token.role or None,
        "created": local(from_us(token.created_us), registry.tz),
        "until": None if token.until_us is None else local(from_us(token.until_us), registry.tz),
        "revoked": None if ended is None else local(from_us(ended), registry.tz),
    }
