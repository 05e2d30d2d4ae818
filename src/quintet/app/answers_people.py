"""Operations on a city's accounts: users, their rights, invitations."""

from typing import Any

from quintet.access.identities import may_hand_out
from quintet.registry import Registry
from quintet.registry.entrance import Invitation
from quintet.registry.households import DWELLING, moved_in, own_time, whole
from quintet.registry.people import stands
from quintet.registry.person import RESIDENT, Person, Right
from quintet.store.records import ALWAYS, FOREVER
from quintet.terms.alert import STANDING
from quintet.terms.errors import BadInput, CityError, NotFound
from quintet.terms.period import from_us, parse_moment, to_us

from .alert_looks import look
from .answer import Answer, Progress, document_of
from .cells import local, rows_of
from .city import City
from .requests_people import (
    DemoResident,
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

USERS = ["id", "name", "display", "rights", "password", "passkeys", "created", "disabled"]
RIGHTS = ["user", "right", "role", "place", "from", "until", "revoked"]
INVITATIONS = ["id", "place", "from", "until", "expires", "used"]


def user_add(city: City, asked: UserAdd, _progress: Progress) -> Answer:
    """Make a user, and grant a role at once where it is named; give the link by which he comes in first."""
    if bool(asked.role) != bool(asked.place):
        raise BadInput("names a role or a place alone.", code="bad_right", place="--role", remedy="Give both or none.")
    if asked.role:
        _checked(city.registry(), asked.role, asked.place)
    person = city.people.add(asked.name, asked.display, language=asked.language, mail=asked.mail, actor=asked.actor)
    if asked.role:
        _grant(city, person, asked.role, asked.place, None, None, "", asked.actor)
    code = city.entrance.link(person)
    row = {**_user(person, city), "link": _link(city, code)}
    columns = ["id", "name", "display", "rights", "link"]
    return Answer(columns, rows_of(columns, [row]), document_of(row), notes=_of_link(row["link"]))


NO_STAY = (
    "Nobody is registered as living there: what the household may see begins now, and its page counts this month's "
    "bill from today on. `--from MOMENT`, or `quintet registry move-in` before, says since when it lives there."
)
ONCE = "The link opens once, within the hour; there a password or a passkey is set. It is not shown again."
NOT_SERVED = "The city is not served now: start `quintet serve`, and put its address before the link."


def user_list(city: City, _asked: UserList, _progress: Progress) -> Answer:
    """Give all users with their rights."""
    rows = [_user(one, city) for one in city.people.listed()]
    return Answer(USERS, rows_of(USERS, rows), document_of({"users": rows}), title=f"{len(rows)} users")


def user_disable(city: City, asked: UserDisable, _progress: Progress) -> Answer:
    """Let a user in no more; his sessions end at once."""
    person = city.people.need(asked.name)
    city.people.disable(person, actor=asked.actor, back=asked.back)
    if not asked.back:
        city.entrance.sign_out_all(person)
    return _one(_user(person, city), USERS)


def user_erase(city: City, asked: UserErase, _progress: Progress) -> Answer:
    """Destroy what is kept of a user; what the city measured stays."""
    person = city.people.need(asked.name)
    city.entrance.sign_out_all(person)
    city.people.erase(person, actor=asked.actor)
    row = {"id": person.id, "erased": True}
    notes = ["The key is destroyed: what backups hold of this person opens no more."]
    return Answer(list(row), rows_of(list(row), [row]), document_of(row), notes=notes)


def user_grant(city: City, asked: UserGrant, _progress: Progress) -> Answer:
    """Give a user a role at a place."""
    person = city.people.need(asked.name)
    name, right = _grant(city, person, asked.role, asked.place, asked.start, asked.end, asked.why, asked.actor)
    return _one(_right(person, name, right, city.registry()), RIGHTS)


def user_revoke(city: City, asked: UserRevoke, _progress: Progress) -> Answer:
    """Take a right back."""
    person = city.people.need(asked.name)
    right = city.people.revoke(person, asked.right, actor=asked.actor)
    return _one(_right(person, asked.right, right, city.registry()), RIGHTS)


def user_link(city: City, asked: UserLink, _progress: Progress) -> Answer:
    """Make a link that lets a user in once."""
    person = city.people.need(asked.name)
    code = city.entrance.link(person)
    city.people.tell("link", person.id, {}, asked.actor)
    row = {"name": person.profile.name, "link": _link(city, code), "code": code}
    return Answer(["name", "link"], rows_of(["name", "link"], [row]), document_of(row), notes=_of_link(row["link"]))


def user_reads(city: City, asked: UserReads, _progress: Progress) -> Answer:
    """Give who read of a dwelling."""
    registry = city.registry()
    registry.need_place(asked.place)
    noted = city.read_log.of(registry.tree.path(asked.place), ALWAYS, FOREVER, asked.limit)
    columns = ["at", "who", "role", "what", "from", "until", "step_min", "reason", "purpose"]
    rows = [
        {
            "at": local(from_us(one.at_us), registry.tz),
            "who": city.identities.called(one.read.reader),
            "from": local(from_us(one.read.from_us), registry.tz),
            "until": local(from_us(one.read.until_us), registry.tz),
            **{name: getattr(one.read, name) for name in ("role", "what", "step_min", "reason", "purpose")},
        }
        for one in noted
    ]
    return Answer(
        columns, rows_of(columns, rows), document_of({"reads": rows}), title=f"{len(rows)} readings by others"
    )


def invite_create(city: City, asked: InviteCreate, _progress: Progress) -> Answer:
    """Invite to a dwelling; this answer alone holds the code."""
    registry, now = city.registry(), city.people.now_us()
    start = None if asked.start is None else to_us(parse_moment(asked.start, registry.tz))
    end = FOREVER if asked.end is None else to_us(parse_moment(asked.end, registry.tz))
    begin = moved_in(registry, asked.place, now, start)
    if end <= begin:
        raise BadInput("ends before it begins.", code="empty_range", place="--to", remedy="Give a later moment.")
    if asked.days is not None and not 1 <= asked.days <= 365:
        raise BadInput(f"{asked.days} is out of range.", code="bad_days", place="--days", remedy="Give 1 to 365.")
    made, code = city.entrance.invite(asked.place, begin, end, days=asked.days, actor=asked.actor)
    row = {"code": code, **_invitation(made, registry)}
    notes = ["Hand the code to the household: it makes one account, and is not shown again."]
    if start is None and not any(one.start_us <= now < one.end_us for one in registry.occupancies(asked.place)):
        notes.append(NO_STAY)
    return Answer(list(row), rows_of(list(row), [row]), document_of(row), notes=notes)


def invite_list(city: City, _asked: InviteList, _progress: Progress) -> Answer:
    """Give all invitations."""
    registry = city.registry()
    rows = [_invitation(one, registry) for one in city.entrance.invitations()]
    title = f"{len(rows)} invitations"
    return Answer(INVITATIONS, rows_of(INVITATIONS, rows), document_of({"invitations": rows}), title=title)


def invite_revoke(city: City, asked: InviteRevoke, _progress: Progress) -> Answer:
    """Take an invitation back."""
    city.entrance.uninvite(asked.id, actor=asked.actor)
    return _one({"id": asked.id}, ["id"])


def demo_resident(city: City, asked: DemoResident, _progress: Progress) -> Answer:
    """Make a resident of a simulated dwelling and the code of his link.

    It has all five utilities, if it can be; one where an alert stands, once it was looked at, comes first.
    """
    registry = city.registry()
    if not registry.city.simulated:
        raise CityError("is no simulated city.", code="not_simulated", remedy="Invite people with `invite create`.")
    carriers: dict[str, set[str]] = {}
    for row in registry.channels().select(["channel", "commodity"]).to_pylist():
        carriers.setdefault(registry.place_of(row["channel"]), set()).add(row["commodity"])
    homes = [place for place in carriers if registry.tree.bodies[place]["level"] == DWELLING]
    if not homes:
        raise NotFound("there is no dwelling.", code="no_dwelling", remedy="Make a larger demo.")
    most = max(len(carriers[place]) for place in homes)
    full = {place for place in homes if len(carriers[place]) == most}
    ids = registry.channel_ids
    leaking = (registry.place_of(ids[channel]) for channel in asked.leaks if channel in ids)
    warned = next((place for place in leaking if place in full and _warned(city, place)), None)
    best = min(full) if warned is None else warned
    stay = next((one for one in registry.occupancies(best) if one.start_us <= city.people.now_us() < one.end_us), None)
    person = city.people.add("resident", "김하나", actor="demo")
    right = Right(RESIDENT, best, city.people.now_us(), ALWAYS if stay is None else stay.start_us, by="demo")
    city.people.grant(person, right, actor="demo")
    row = {"place": best, "code": city.entrance.link(person), "alerts": warned is not None}
    return Answer(list(row), rows_of(list(row), [row]), document_of(row))


def _warned(city: City, place: str) -> bool:
    """Look at a dwelling as `serve` does, and say whether its household is warned now."""
    look(city, [place], alike=True)
    return any(one.state == STANDING for one in city.alerts.of(place))


def _grant(
    city: City, person: Person, role: str, place: str, start: str | None, end: str | None, why: str, actor: str
) -> tuple[str, Right]:
    """Give a right: a resident's bounds are those of his time in the dwelling, of others those of the right itself."""
    registry, now = city.registry(), city.people.now_us()
    _checked(registry, role, place)
    begin, until = (None if one is None else to_us(parse_moment(one, registry.tz)) for one in (start, end))
    if begin is not None and until is not None and until <= begin:
        raise BadInput("ends before it begins.", code="empty_range", place="--to", remedy="Give a later moment.")
    if role == RESIDENT:
        since = moved_in(registry, place, now, begin)
        right = Right(role, place, now, since, until if until is not None else FOREVER, by=actor, why=why)
    else:
        valid = (ALWAYS if begin is None else begin, FOREVER if until is None else until)
        right = Right(role, place, now, valid_from_us=valid[0], valid_until_us=valid[1], by=actor, why=why)
    name = city.people.grant(person, right, actor=actor)
    city.entrance.shorten(person)
    return name, right


def _checked(registry: Registry, role: str, place: str) -> None:
    may_hand_out(registry, role, place)


def _user(person: Person, city: City) -> dict[str, Any]:
    registry, now, profile = city.registry(), city.people.now_us(), person.profile
    rights = [f"{one.role} of {one.place}" for one in person.rights.values() if stands(one, now)]
    return {
        "id": person.id,
        "name": profile.name,
        "display": profile.display,
        "rights": rights,
        "password": person.password is not None,
        "passkeys": len(person.passkeys),
        "created": local(from_us(profile.created_us), registry.tz),
        "disabled": local(from_us(profile.disabled_us), registry.tz) if profile.disabled_us else None,
    }


def _right(person: Person, name: str, right: Right, registry: Registry) -> dict[str, Any]:
    bounds = (right.from_us, right.until_us)
    if right.role == RESIDENT:
        bounds = own_time(registry, right.place, *bounds) or bounds
    else:
        bounds = (right.valid_from_us, right.valid_until_us)
    first, last = whole(*bounds)
    return {
        "user": person.profile.name,
        "right": name,
        "role": right.role,
        "place": right.place,
        "from": None if first is None else local(from_us(first), registry.tz),
        "until": None if last is None else local(from_us(last), registry.tz),
        "revoked": local(from_us(right.revoked_us), registry.tz) if right.revoked_us else None,
    }


def _invitation(made: Invitation, registry: Registry) -> dict[str, Any]:
    first, last = whole(made.from_us, made.until_us)
    return {
        "id": made.id,
        "place": made.place,
        "from": None if first is None else local(from_us(first), registry.tz),
        "until": None if last is None else local(from_us(last), registry.tz),
        "expires": local(from_us(made.expires_us), registry.tz),
        "used": local(from_us(made.used_us), registry.tz) if made.used_us else None,
    }


def _link(city: City, code: str) -> str:
    """Write a link: whole where the city is served, else the part that follows its address."""
    keeper = None if city.doors is None else city.doors.keeper
    return f"{keeper.address if keeper is not None else ''}/enter#{code}"


def _of_link(link: str) -> list[str]:
    """Say what there is to know of a link, and how to make a part of one whole."""
    return [ONCE, NOT_SERVED] if link.startswith("/") else [ONCE]


def _one(row: dict[str, Any], columns: list[str]) -> Answer:
    return Answer(columns, rows_of(columns, [row]), document_of(row))
