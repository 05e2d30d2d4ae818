"""The broker's list of passwords, as far as it is of dwellings: their lines come and go with their tokens.

A line is as mosquitto writes it: PBKDF2 with SHA-512 (`$7$rounds$salt$digest`). Other lines stay as they are.
"""

import base64
import hashlib
import os
import secrets
import signal
import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from .home_assistant import USER

ROUNDS = 101
"""As many as mosquitto 2 takes by itself; a token has 256 random bits, which no number of rounds has to protect."""
SALT_BYTES, DIGEST_BYTES = 12, 64


def password_line(user: str, word: str) -> str:
    """Give a user's line of the list."""
    salt = secrets.token_bytes(SALT_BYTES)
    digest = hashlib.pbkdf2_hmac("sha512", word.encode(), salt, ROUNDS, DIGEST_BYTES)
    return f"{user}:$7${ROUNDS}${base64.b64encode(salt).decode()}${base64.b64encode(digest).decode()}"


class Users:
    """Writes the lines of dwellings, and tells the broker; without a file nothing is written (the operator does)."""

    def __init__(self, passwords: Path | None, pid_file: Path | None) -> None:
        """Keep the lines in `passwords`; the process in `pid_file` reads them again when it is told."""
        self._file, self._pid_file = passwords, pid_file
        self._turn = threading.Lock()

    def add(self, user: str, word: str) -> None:
        """Let a dwelling's Home Assistant in."""
        self._change(lambda lines: [*(one for one in lines if _user(one) != user), password_line(user, word)])

    def keep(self, standing: set[str]) -> None:
        """Let in no other dwelling than these."""
        self._change(lambda lines: [one for one in lines if not _user(one).startswith(USER) or _user(one) in standing])

    def _change(self, change: Callable[[list[str]], list[str]]) -> None:
        if self._file is None:
            return
        with self._turn:
            before = self._file.read_text(encoding="utf-8").splitlines() if self._file.exists() else []
            after = change(before)
            if after == before:
                return
            draft = self._file.with_name(f"{self._file.name}.new")
            draft.touch(0o600)
            draft.write_text("".join(f"{one}\n" for one in after), encoding="utf-8")
            if self._file.exists():
                found = self._file.stat()
                draft.chmod(found.st_mode & 0o777)
                with suppress(PermissionError):  # the broker's own user: then its group must be able to read it
                    os.chown(draft, found.st_uid, found.st_gid)
            draft.replace(self._file)
        self._tell()

    def _tell(self) -> None:
        """Have the broker read its lists again, which ends the connections of users that are gone."""
        if self._pid_file is None or not self._pid_file.exists():
            return
        with suppress(ValueError, ProcessLookupError, PermissionError):
            os.kill(int(self._pid_file.read_text(encoding="ascii")), signal.SIGHUP)


def _user(line: str) -> str:
    return line.partition(":")[0]
