"""The limits of the HTTP door: data with source and reason, unknown keys refused."""

from dataclasses import dataclass
from functools import cache

from quintet.terms.catalogue import numbers_of, read_toml


@dataclass(frozen=True, slots=True)
class HttpLimits:
    """The numbers of `data/http.toml`.

    `body_bytes`: most in one body as it comes (how much it may become is for `protocols` to say); `bodies`,
    `held_bytes`: most on the way at once; `source_bodies`, `source_bytes`: most of these for one source; `body_s`:
    longest time for a body to come; `decoders`: bodies decoded at once; `listed`: refused rows named in an answer;
    `meters`: most in one list; `lists`: lists of meters on the way at once; `list_wait_s`: longest wait of a list for
    its turn; `retry_after_s`: wait said when the door is full.
    """

    body_bytes: int
    bodies: int
    held_bytes: int
    source_bodies: int
    source_bytes: int
    body_s: int
    decoders: int
    listed: int
    meters: int
    lists: int
    list_wait_s: int
    retry_after_s: int


@cache
def http_limits() -> HttpLimits:
    """Give the shipped limits."""
    return HttpLimits(**numbers_of(read_toml("quintet.ingest", "http.toml"), HttpLimits.__slots__, "http.toml"))
