"""Commands on the tokens by which the doors know who sends."""

from typing import Annotated

from cyclopts import Parameter

from .command_city import actor
from .options import Common, ask
from .requests import TokenCreate, TokenList, TokenRevoke


def token_create(
    *,
    source: Annotated[str, Parameter(help="Who will send with it; batches and quarantine name it so.")],
    may: Annotated[str, Parameter(help="What it allows, with commas between: readings, meters, edits.")] = "readings",
    common: Common | None = None,
) -> int:
    """Make a token for a source and print it, this once."""
    rights = [right.strip() for right in may.split(",") if right.strip()]
    return ask(common, TokenCreate(source, rights, actor()))


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
