"""Commands on the people who may sign in, what they may see, and how they are invited."""

from typing import Annotated

from cyclopts import Parameter

from .command_city import actor
from .options import Common, ask
from .requests_people import (
    InviteCreate,
    InviteList,
    InviteRevoke,
    UserAdd,
    UserDisable,
    UserErase,
    UserGrant,
    UserLink,
    UserList,
    UserReads,
    UserRevoke,
)

User = Annotated[str, Parameter(name="NAME", help="The name by which the user signs in, or the id of `user list`.")]
Role = Annotated[str, Parameter(help="resident, building_manager, operator, analyst.")]
Since = Annotated[
    str | None,
    Parameter(name="--from", help="From when on: of a resident the readings, of others the right itself."),
]
Until = Annotated[str | None, Parameter(name="--to", help="First moment that no longer counts; default: no end.")]


def user_add(
    name: Annotated[str, Parameter(name="NAME", help="The name by which the user will sign in.")],
    /,
    *,
    display: Annotated[str, Parameter(help="How pages and read logs call the user; default: the name.")] = "",
    mail: Annotated[str, Parameter(help="Where mail reaches the user.")] = "",
    language: Annotated[str, Parameter(help="ko or en.")] = "",
    role: Annotated[str, Parameter(help="A role to grant at once; needs --place.")] = "",
    place: Annotated[str, Parameter(help="Where: the place with all below it.")] = "",
    common: Common | None = None,
) -> int:
    """Make a user, and print the link by which he comes in first."""
    return ask(common, UserAdd(name, display, mail, language, role, place, actor()))


def user_list(*, common: Common | None = None) -> int:
    """List the users and what they may see."""
    return ask(common, UserList())


def user_disable(
    name: User,
    /,
    *,
    back: Annotated[bool, Parameter(name="--back", help="Let the user in again.", negative=())] = False,
    common: Common | None = None,
) -> int:
    """Let a user in no more; sessions end at once."""
    return ask(common, UserDisable(name, back, actor()))


def user_erase(name: User, /, *, common: Common | None = None) -> int:
    """Destroy the key of all that is kept of a user, backups included; the city's numbers stay."""
    return ask(common, UserErase(name, actor()))


def user_grant(
    name: User,
    /,
    *,
    role: Role,
    place: Annotated[str, Parameter(help="Where: the place with all below it.")],
    start: Since = None,
    end: Until = None,
    why: Annotated[str, Parameter(help="Why: it is kept with the right.")] = "",
    common: Common | None = None,
) -> int:
    """Give a user a role at a place."""
    return ask(common, UserGrant(name, role, place, start, end, why, actor()))


def user_revoke(
    name: User,
    right: Annotated[str, Parameter(name="RIGHT", help="The id that `user grant` printed.")],
    /,
    *,
    common: Common | None = None,
) -> int:
    """Take a right back: the next question with it is refused, and streams end."""
    return ask(common, UserRevoke(name, right, actor()))


def user_link(name: User, /, *, common: Common | None = None) -> int:
    """Make a link that lets a user in once, within the hour."""
    return ask(common, UserLink(name, actor()))


def user_reads(
    place: Annotated[str, Parameter(name="PLACE", help="A dwelling.")],
    /,
    *,
    limit: Annotated[int, Parameter(help="At most this many, newest first.")] = 100,
    common: Common | None = None,
) -> int:
    """List who read of a dwelling, what and why."""
    return ask(common, UserReads(place, limit))


def invite_create(
    place: Annotated[str, Parameter(name="PLACE", help="The dwelling.")],
    /,
    *,
    start: Annotated[
        str | None, Parameter(name="--from", help="From when on they live there; default: as the registry says.")
    ] = None,
    end: Annotated[
        str | None, Parameter(name="--to", help="Until when; default: until somebody else moves in.")
    ] = None,
    days: Annotated[int | None, Parameter(help="For how many days the code may be used; default: 30.")] = None,
    common: Common | None = None,
) -> int:
    """Invite a household to its dwelling's page and print the code, this once."""
    return ask(common, InviteCreate(place, start, end, days, actor()))


def invite_list(*, common: Common | None = None) -> int:
    """List the invitations, without their codes."""
    return ask(common, InviteList())


def invite_revoke(
    name: Annotated[str, Parameter(name="ID", help="The id that `invite list` shows.")],
    /,
    *,
    common: Common | None = None,
) -> int:
    """Take an invitation back."""
    return ask(common, InviteRevoke(name, actor()))
