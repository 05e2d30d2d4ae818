"""Room on the disk: a part of it is left alone, so that a full disk is met before a write begins and not within it."""

import os
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from quintet.terms.catalogue import check_keys, read_toml
from quintet.terms.errors import CityError

REMEDY = "Make room; it goes on by itself, and what was reported stored is stored."


@dataclass(frozen=True, slots=True)
class Limits:
    """Bytes of the disk that are left alone (the smaller of two counts), and how long a write-ahead log may grow."""

    reserve_bytes: int
    reserve_share: float
    log_bytes: int


@lru_cache(maxsize=1)
def limits() -> Limits:
    """Read the limits that ship with the package."""
    table = read_toml("quintet.store", "room.toml")
    check_keys(table, required={"reserve", "log"}, optional=set(), place="room.toml")
    check_keys(table["reserve"], required={"bytes", "share"}, optional=set(), place="room.toml: reserve")
    check_keys(table["log"], required={"bytes"}, optional=set(), place="room.toml: log")
    return Limits(int(table["reserve"]["bytes"]), float(table["reserve"]["share"]), int(table["log"]["bytes"]))


def left_bytes(folder: Path) -> int:
    """Give the bytes that may still be written below a folder: what is free without the reserve; may be negative."""
    disk = os.statvfs(folder)
    known = limits()
    reserve = min(known.reserve_bytes, int(known.reserve_share * disk.f_blocks * disk.f_frsize))
    return disk.f_bavail * disk.f_frsize - reserve


def require_room(folder: Path, needed_bytes: int = 0) -> None:
    """Raise CityError `disk_full` where less than that can be written below a folder; 2 microseconds."""
    left = left_bytes(folder)
    if left < needed_bytes or left <= 0:
        raise disk_full(folder)


def disk_full(place: Path | str) -> CityError:
    """Say that the disk is full: nothing was written, and it may be tried again."""
    return CityError("the disk is full.", code="disk_full", place=str(place), remedy=REMEDY)
