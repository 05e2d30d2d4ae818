"""Commands on the tokens by which the doors know who sends, and programs may ask."""

from typing import Annotated

from cyclopts import Parameter

from .command_city import actor
from .options import Common, ask
from .requests import TokenCreate, TokenList, TokenRevoke


def token_create(
    *,
    source: Annotated[str, Parameter(help="Who will send with it; batches and quarantine name it so.")],
    may: Annotated[
        str, Parameter(help="What it allows, with commas between: readings, meters, edits, read, live, metrics.")
    ] = "readings",
    until: Annotated[str | None, Parameter(help="Until when it counts; default: until it is revoked.")] = None,
    place: Annotated[str, Parameter(help="Of `read` and `live`: of which place, with all below it.")] = "",
    role: Annotated[str, Parameter(help="Of `read` and `live`: how fine, as operator or analyst.")] = "",
    common: Common | None = None,
) -> int:
    """Make a token for a source, or for a program that asks, and print it, this once."""
    rights = [right.strip() for right in may.split(",") if right.strip()]
    return ask(common, TokenCreate(source, rights, actor(), until, place, role))


def token_list(*, common: Common | None = None) -> int:
    """List the tokens, without what proves them."""
    return ask(common, TokenList())


def token_revoke(
    name: Annotated[str, Parameter(name="ID", help="The id that `quintet token list` shows.")],
    /,
    *,
    common: Common | None = None,
) -> int:
    """End a token: the next request with it is refused."""
    return ask(common, TokenRevoke(name, actor()))
