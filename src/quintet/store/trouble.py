"""Errors of the disk and the database in words. Told by their names, so that saying them needs no engine."""

import errno
import os

from quintet.terms.errors import CityError, Damaged

FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)

_REMEDIES = {
    errno.ENOSPC: ("disk_full", "the disk is full.", "Make room and run again; what was reported stored is stored."),
    errno.EDQUOT: ("disk_full", "the disk quota is used up.", "Make room and run again; what was reported stored is."),
    errno.EFBIG: ("disk_full", "the file would become larger than is allowed.", "Raise the limit (`ulimit -f`)."),
    errno.EACCES: ("no_permission", "permission denied.", "Give this user the right to it, or choose another path."),
    errno.EPERM: ("no_permission", "permission denied.", "Give this user the right to it, or choose another path."),
    errno.EROFS: ("no_permission", "the file system is read-only.", "Choose a folder that can be written."),
    errno.ENOENT: ("no_such_file", "there is no such file or folder.", "Check the path."),
    errno.ENOTDIR: ("no_such_file", "a part of the path is a file, not a folder.", "Check the path."),
    errno.EISDIR: ("no_such_file", "is a folder, not a file.", "Check the path."),
    errno.EMFILE: ("too_many_files", "too many files are open.", "Raise the limit with `ulimit -n` and run again."),
}


def from_os_error(error: OSError) -> CityError:
    """Say an error of the operating system in words, naming the file."""
    place = str(error.filename or "")
    # libraries that write files themselves give no number, only the system's words
    number = error.errno or quoted_number(str(error)) or 0
    code, message, remedy = _REMEDIES.get(
        number, ("system_error", f"{error.strerror or error}.", "Check the path and the disk, then run again.")
    )
    return CityError(message, code=code, place=place, remedy=remedy)


def quoted_number(text: str) -> int | None:
    """Give the number of the full disk's error that a text quotes; None where it quotes none."""
    return next((number for number in FULL if os.strerror(number) in text), None)


def from_engine_error(error: Exception, place: str = "") -> CityError | Damaged | None:
    """Say an error of the database's file or of its disk in words; None for any other error."""
    kind = type(error)
    if kind.__module__.lstrip("_").partition(".")[0] != "duckdb":
        return None
    text = str(error).splitlines()[0] if str(error) else kind.__name__
    # a commit that finds the disk full is a TransactionException that quotes the operating system
    number = quoted_number(str(error))
    if number is not None:
        return from_os_error(OSError(number, "", place))
    if "Corrupt database file" in text:
        return Damaged(
            f"the store: {text}.",
            code="damaged",
            place=place,
            remedy="Run `quintet doctor`, then restore a backup of the whole city.",
        )
    if kind.__name__ == "OutOfMemoryException":
        return CityError(
            "the database ran out of memory.",
            code="out_of_memory",
            remedy="Ask for less at once, or give it more memory.",
        )
    if kind.__name__ in ("IOException", "FatalException", "InternalException") or "Could not write file" in text:
        return CityError(
            f"the store: {text}.", code="store_io", place=place, remedy="Run `quintet doctor` for what to do."
        )
    return None
