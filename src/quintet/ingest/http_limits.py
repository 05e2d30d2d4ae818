"""The limits of the HTTP door: data with source and reason, unknown keys refused."""

from dataclasses import dataclass
from functools import cache

from quintet.terms.catalogue import check_keys, read_toml


@dataclass(frozen=True, slots=True)
class HttpLimits:
    """The numbers of `data/http.toml`.

    `body_bytes`: most in one body as it comes (how much it may become is for `protocols` to say); `bodies`,
    `held_bytes`: most on the way at once; `body_s`: longest time for a body to come; `decoders`: bodies decoded at
    once; `listed`: refused rows named in an answer; `meters`: most in one list; `retry_after_s`: wait said when the
    door is full.
    """

    body_bytes: int
    bodies: int
    held_bytes: int
    body_s: int
    decoders: int
    listed: int
    meters: int
    retry_after_s: int


@cache
def http_limits() -> HttpLimits:
    """Give the shipped limits."""
    table = read_toml("quintet.ingest", "http.toml")
    check_keys(table, required={"limit"}, optional=set(), place="http.toml")
    rows = table["limit"]
    check_keys(rows, required=set(HttpLimits.__slots__), optional=set(), place="http.toml [limit]")
    for name, row in rows.items():
        check_keys(row, required={"value", "source", "why"}, optional=set(), place=f"http.toml [limit.{name}]")
    return HttpLimits(**{name: int(row["value"]) for name, row in rows.items()})
