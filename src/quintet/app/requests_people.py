"""What can be asked of a city's accounts: users, their rights, invitations. Times are text as the person gave them."""

from .request import Request


class UserAdd(Request, frozen=True, tag="user_add"):
    """Make a user; a role at a place is granted at once where both are named."""

    name: str
    display: str = ""
    mail: str = ""
    language: str = ""
    role: str = ""
    place: str = ""
    actor: str = ""


class UserList(Request, frozen=True, tag="user_list"):
    """All users with their rights."""


class UserDisable(Request, frozen=True, tag="user_disable"):
    """Let a user in no more, or (back) again."""

    name: str
    back: bool = False
    actor: str = ""


class UserErase(Request, frozen=True, tag="user_erase"):
    """Destroy what is kept of a user."""

    name: str
    actor: str = ""


class UserGrant(Request, frozen=True, tag="user_grant"):
    """Give a user a role at a place, from when until when."""

    name: str
    role: str
    place: str
    start: str | None = None
    end: str | None = None
    why: str = ""
    actor: str = ""


class UserRevoke(Request, frozen=True, tag="user_revoke"):
    """Take a right of a user back."""

    name: str
    right: str
    actor: str = ""


class UserLink(Request, frozen=True, tag="user_link"):
    """Make a link that lets a user in once."""

    name: str
    actor: str = ""


class UserReads(Request, frozen=True, tag="user_reads"):
    """Who read of a dwelling."""

    place: str
    limit: int = 100


class InviteCreate(Request, frozen=True, tag="invite_create"):
    """Invite to a dwelling."""

    place: str
    start: str | None = None
    end: str | None = None
    days: int | None = None
    actor: str = ""


class InviteList(Request, frozen=True, tag="invite_list"):
    """All invitations, without their codes."""


class InviteRevoke(Request, frozen=True, tag="invite_revoke"):
    """Take an invitation back."""

    id: str
    actor: str = ""


class DemoResident(Request, frozen=True, tag="demo_resident"):
    """Make a resident of a simulated dwelling, and a link that lets him in once.

    `leaks` are channels that leak now: the dwelling is that of the first whose leak is found.
    """

    leaks: tuple[str, ...] = ()


PeopleRequest = (
    UserAdd
    | UserList
    | UserDisable
    | UserErase
    | UserGrant
    | UserRevoke
    | UserLink
    | UserReads
    | InviteCreate
    | InviteList
    | InviteRevoke
    | DemoResident
)
