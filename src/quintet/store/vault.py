"""What is kept of people, apart from the city's numbers: sealed under a key of each person, the keys in a file apart.

`people/people.sqlite` holds what is sealed (AES-GCM, each row bound to its person, kind and id), invitations and the
read log; backups take it. `people/keys.sqlite` holds the keys, the index of names and the sessions; no backup takes it.
A person whose key is destroyed is gone from every copy. Both files zero what is deleted, and an erasure zeroes their
journals, which stay for that: what was only unlinked would still be on the disk.
"""

import os
import secrets
import sqlite3
import threading
from collections.abc import Generator, Iterable, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from quintet.terms.errors import BadInput, CityError, Damaged

from .durable import made_folder, sync_folder

FOLDER = "people"
PEOPLE, KEYS = "people.sqlite", "keys.sqlite"
NONCE = 12
INDEX = "index"
"""The row of keys.sqlite whose key makes the index of names."""
TABLES = {
    PEOPLE: """
        create table if not exists sealed(person text, kind text, id text, body blob, primary key(person, kind, id))
            without rowid;
        create table if not exists invitation(id text primary key, digest text unique, place text, from_us integer,
            until_us integer, expires_us integer, created_us integer, used_us integer) without rowid;
        create table if not exists read(seq integer primary key, at_us integer, place text, from_us integer,
            until_us integer, step_min integer, what text, reader text, role text, reason text, purpose text);
        create index if not exists read_place on read(place, at_us);
        create index if not exists sealed_row on sealed(kind, id);
        create table if not exists erased(person text primary key, at_us integer) without rowid;
    """,
    KEYS: """
        create table if not exists key(person text primary key, key blob) without rowid;
        create table if not exists name(digest text primary key, person text) without rowid;
        create table if not exists session(digest text primary key, person text, kind text, expires_us integer,
            seen_us integer) without rowid;
    """,
}


class Sealed(NamedTuple):
    """One opened row."""

    person: str
    id: str
    body: bytes


class Vault:
    """The two files of one city; made when the first row is written. Safe for several threads."""

    def __init__(self, folder: Path) -> None:
        """Stand for a city's folder; nothing is opened yet."""
        self._folder = folder / FOLDER
        self._lock = threading.RLock()
        self._open: dict[str, sqlite3.Connection] = {}
        self._keys: dict[str, bytes] = {}
        self._exists = False
        """Asked with every request: what was seen once stays."""

    @property
    def folder(self) -> Path:
        """Where the files are, or will be."""
        return self._folder

    @property
    def exists(self) -> bool:
        """Whether anything was ever kept of people here."""
        self._exists = self._exists or (self._folder / PEOPLE).is_file()
        return self._exists

    @contextmanager
    def still(self) -> Generator[None]:
        """Hold all writing while a block runs, for a copy of the file."""
        with self._lock:
            yield

    def close(self) -> None:
        """Close the files."""
        with self._lock:
            for connection in self._open.values():
                connection.close()
            self._open.clear()
            self._keys.clear()

    def new_person(self) -> str:
        """Make a person: a random name and a key of his own."""
        person, key = secrets.token_hex(8), AESGCM.generate_key(256)
        self.write(KEYS, "insert into key values (?, ?)", [person, key])
        return person

    def made_key(self, name: str) -> None:
        """Make a key of a name of its own, for what is nobody's alone; one that is there stays."""
        with self._lock:
            if self._key(name) is None:
                self.write(KEYS, "insert into key values (?, ?)", [name, AESGCM.generate_key(256)])

    def index_key(self) -> bytes:
        """Give the key by which names are indexed; made at the first call."""
        with self._lock:
            key = self._key(INDEX)
            if key is None:
                key = secrets.token_bytes(32)
                self.write(KEYS, "insert into key values (?, ?)", [INDEX, key])
            return key

    def people(self) -> list[str]:
        """Name all that have a key: persons, and what else things are sealed under."""
        return [row[0] for row in self.rows(KEYS, "select person from key where person <> ? order by 1", [INDEX])]

    def put(self, person: str, kind: str, name: str, body: bytes) -> None:
        """Seal a row and keep it, in the place of one of the same name. Raises CityError for an erased person."""
        with self._lock:
            key = self._key(person)
            if key is None:
                raise _gone()
            nonce = secrets.token_bytes(NONCE)
            sealed = nonce + AESGCM(key).encrypt(nonce, body, _bound(person, kind, name))
            self.write(PEOPLE, "insert or replace into sealed values (?, ?, ?, ?)", [person, kind, name, sealed])

    def drop(self, person: str, kind: str, name: str) -> None:
        """Delete a row."""
        self.write(PEOPLE, "delete from sealed where person = ? and kind = ? and id = ?", [person, kind, name])

    def opened(self, kind: str, person: str | None = None) -> list[Sealed]:
        """Open the rows of a kind, all or one person's; those whose person was erased are left out."""
        where, given = ("", []) if person is None else (" and person = ?", [person])
        found = self.rows(
            PEOPLE, f"select person, id, body from sealed where kind = ?{where} order by 1, 2", [kind, *given]
        )
        out: list[Sealed] = []
        for owner, name, body in found:
            key = self._key(owner)
            if key is None:
                continue
            try:
                plain = AESGCM(key).decrypt(body[:NONCE], body[NONCE:], _bound(owner, kind, name))
            except InvalidTag as error:
                raise Damaged(
                    "what is sealed does not open.", code="people_damaged", place=str(self._folder / PEOPLE),
                    remedy="Restore people.sqlite from a backup; keys.sqlite stays as it is.",
                ) from error  # fmt: skip
            out.append(Sealed(owner, name, plain))
        return out

    def shares(self, kind: str, name: str) -> list[bytes]:
        """Open the rows of one name, each sealed under a key of its own; those that open no more are left out."""
        found = self.rows(PEOPLE, "select person, body from sealed where kind = ? and id = ?", [kind, name])
        out: list[bytes] = []
        for owner, body in found:
            key = self._key(owner)
            if key is None:
                continue
            try:
                out.append(AESGCM(key).decrypt(body[:NONCE], body[NONCE:], _bound(owner, kind, name)))
            except InvalidTag:  # of a key that was destroyed and made again since
                continue
        return out

    def destroy(self, person: str, now_us: int) -> None:
        """Destroy a person's key, then all that was sealed under it, his sessions and the index of his name."""
        with self._lock:
            self.write(KEYS, "delete from key where person = ?", [person])
            self._keys.pop(person, None)
            for statement in ("delete from name where person = ?", "delete from session where person = ?"):
                self.write(KEYS, statement, [person])
            self.write(PEOPLE, "delete from sealed where person = ?", [person])
            self.write(PEOPLE, "insert or ignore into erased values (?, ?)", [person, now_us])
            self._blank()

    def _blank(self) -> None:
        """Overwrite what the journals hold of the pages as they were: the key that was just destroyed stands there."""
        for file in TABLES:
            journal = self._folder / f"{file}-journal"
            if journal.is_file():
                with journal.open("r+b") as out:
                    out.write(bytes(journal.stat().st_size))
                    out.flush()
                    os.fsync(out.fileno())

    def orphans(self) -> list[str]:
        """Name persons of whom sealed rows are left and no key: erased after the backup that brought the rows back."""
        held = set(self.people())
        return [one for (one,) in self.rows(PEOPLE, "select distinct person from sealed order by 1") if one not in held]

    def sweep(self, now_us: int) -> int:
        """Delete what nobody can open any more; give how many persons it was of."""
        left = self.orphans()
        for person in left:
            self.destroy(person, now_us)
        return len(left)

    def take_keys(self, source: Path) -> None:
        """Copy the keys of another place into this one, which has none. Raises BadInput for a file without any."""
        with self._lock, _said(source):
            other = sqlite3.connect(f"file:{source}?mode=ro", uri=True)
            try:
                if not other.execute("select 1 from sqlite_master where name = 'key'").fetchall():
                    raise BadInput("holds no keys.", code="no_keys", place=str(source), remedy="Name a keys.sqlite.")
                self._made(bringing_keys=True)
                other.backup(self._connection(KEYS))
            finally:
                other.close()
            self._keys.clear()

    def rows(self, file: str, statement: str, given: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """Read rows; none where the files were never made."""
        if not (self._folder / file).is_file():
            return []
        with self._lock, _said(self._folder / file):
            return self._connection(file).execute(statement, given).fetchall()

    def write(self, file: str, statement: str, given: Sequence[Any] = ()) -> int:
        """Write durably; give how many rows were touched."""
        with self._lock, _said(self._folder / file):
            self._made()
            return self._connection(file).execute(statement, given).rowcount

    def troubles(self) -> Iterable[tuple[Path, str]]:
        """Say what is wrong with the files: a damaged one, or keys that are missing."""
        if not self.exists:
            return
        if not (self._folder / KEYS).is_file():
            yield self._folder / KEYS, "is missing: nobody can sign in. Put it back from where it is kept."
            return
        for file in TABLES:
            found = self.rows(file, "pragma integrity_check")
            if found != [("ok",)]:
                yield self._folder / file, f"is damaged: {found[0][0] if found else 'it cannot be read'}."
        left = self.orphans()
        if left:
            yield self._folder / PEOPLE, f"holds rows of {len(left)} erased persons, which nobody can open."

    def _key(self, person: str) -> bytes | None:
        with self._lock:
            if person not in self._keys:
                found = self.rows(KEYS, "select key from key where person = ?", [person])
                if not found:
                    return None
                self._keys[person] = found[0][0]
            return self._keys[person]

    def _made(self, *, bringing_keys: bool = False) -> None:
        """Make the folder and the files, for nobody but the owner."""
        if all((self._folder / file).is_file() for file in TABLES):
            return
        if self.exists and not bringing_keys:  # new ones would open nothing of what is there
            raise CityError(
                "is missing: nobody can sign in.",
                code="no_keys",
                place=str(self._folder / KEYS),
                remedy="Put it back from where it is kept; see docs/accounts.md.",
            )
        made_folder(self._folder)
        self._folder.chmod(0o700)
        for file in TABLES:
            os.close(os.open(self._folder / file, os.O_CREAT | os.O_RDWR, 0o600))
        sync_folder(self._folder)

    def _connection(self, file: str) -> sqlite3.Connection:
        found = self._open.get(file)
        if found is None:
            found = sqlite3.connect(self._folder / file, check_same_thread=False, isolation_level=None)
            for pragma in ("secure_delete = on", "journal_mode = persist", "synchronous = full"):
                found.execute(f"pragma {pragma}")
            found.executescript(TABLES[file])
            self._open[file] = found
        return found


def _bound(person: str, kind: str, name: str) -> bytes:
    """Give what a sealed row is bound to: moved to another place, it does not open."""
    return "\0".join((person, kind, name)).encode()


def _gone() -> CityError:
    return CityError("this person was erased.", code="person_erased", remedy="`quintet user list` shows who is there.")


@contextmanager
def _said(path: Path) -> Generator[None]:
    """Say an error of the file in words."""
    try:
        yield
    except sqlite3.Error as error:
        full = "full" in str(error)
        raise CityError(
            f"cannot be used: {error}.",
            code="disk_full" if full else "people_unusable",
            place=str(path),
            remedy="Make room and try again." if full else "Run `quintet doctor`.",
        ) from error
