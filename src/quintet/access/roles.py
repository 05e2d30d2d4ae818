"""The roles: how fine each may read the places that it is granted, as data (data/roles.toml)."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

from quintet.terms.catalogue import check_keys, read_toml
from quintet.terms.errors import BadInput
from quintet.terms.length import DAY_MIN
from quintet.terms.period import FIXED_MINUTES, Resolution

FILE = "roles.toml"
MONTH_MIN = 28 * DAY_MIN
FINEST: Mapping[str, int | None] = {"any": 0, "day": DAY_MIN, "month": MONTH_MIN, "none": None}
REASONS: Mapping[str, int] = {"": 0, "day": DAY_MIN, "month": MONTH_MIN}
TEXTS = {"name_en", "name_ko", "source", "why"}
SWITCHES = {"floor", "logged", "discreet", "city_desk"}


@dataclass(frozen=True, slots=True)
class Role:
    """How fine a role may read. `finest_min`: of one dwelling, None for not at all; the rest as the table says."""

    name: str
    name_en: str
    name_ko: str
    finest_min: int | None
    reason_below_min: int
    mix: int
    floor: bool
    logged: bool
    discreet: bool
    city_desk: bool


def minutes_of(resolution: Resolution) -> int:
    """Give the length of a step in minutes, for comparing how fine steps are: a month has at least 28 days."""
    return FIXED_MINUTES.get(resolution, MONTH_MIN if resolution is Resolution.MONTH else DAY_MIN)


@cache
def roles() -> Mapping[str, Role]:
    """Give the shipped roles by name; a row that lacks a key, or holds one that nobody reads, raises BadInput."""
    out: dict[str, Role] = {}
    for name, row in read_toml("quintet.access", FILE)["role"].items():
        place = f"{FILE} [role.{name}]"
        check_keys(row, required={"dwelling", "reason_below", "mix", *TEXTS, *SWITCHES}, optional=set(), place=place)
        if row["dwelling"] not in FINEST or row["reason_below"] not in REASONS:
            raise BadInput("names a step that is none.", code="bad_row", place=place, remedy="any, day, month, none.")
        out[name] = Role(
            name, row["name_en"], row["name_ko"], FINEST[row["dwelling"]], REASONS[row["reason_below"]],
            int(row["mix"]),
            *(bool(row[switch]) for switch in ("floor", "logged", "discreet", "city_desk")),
        )  # fmt: skip
    return out


def role_named(name: str) -> Role:
    """Give a role; an unknown name raises BadInput with those there are."""
    if name not in roles():
        raise BadInput(
            f"there is no role {name!r}.",
            code="unknown_role",
            place="role",
            remedy=f"Roles are {', '.join(roles())}.",
            said={"text": name, "known": list(roles())},
        )
    return roles()[name]
