"""What a city's folder holds beside its store and settings, and every backup with it."""

import secrets
from pathlib import Path

from quintet.jobs.doctor import Finding
from quintet.store.vault import FOLDER, PEOPLE, Vault
from quintet.terms.errors import BadInput

from .door import from_os_error

MAPPINGS = "mappings"
"""A folder of the city's own descriptions of payloads, one TOML file each."""
MQTT_ID = "mqtt-id"
"""The name by which brokers know the city's doors: their sessions hang on it."""

FEED_ID = "green-button-id"
"""The secret under which dwellings and meters are named in Green Button feeds: always the same, and saying nothing."""


def belongings(folder: Path) -> list[Path]:
    """List them, whether they are there or not; never the keys of what is kept of people."""
    return [folder / MQTT_ID, folder / FEED_ID, folder / MAPPINGS, folder / FOLDER / PEOPLE]


def made_once(file: Path, content: str) -> str:
    """Give a file's one line, which is `content` where there is no file yet; who else just made it wins."""
    try:
        if not file.exists():
            draft = file.with_name(f"{file.name}.{secrets.token_hex(4)}")
            draft.touch(0o600)
            draft.write_text(f"{content}\n", encoding="ascii")
            try:
                file.hardlink_to(draft)  # unlike a rename this never replaces the one that somebody just made
            except FileExistsError:
                pass
            finally:
                draft.unlink()
        return file.read_text(encoding="ascii").strip()
    except OSError as error:
        raise from_os_error(error) from error


def mappings_of(folder: Path) -> list[Path]:
    """List a city's own descriptions of payloads."""
    return sorted((folder / MAPPINGS).glob("*.toml"))


def of_people(vault: Vault) -> list[Finding]:
    """Say what is wrong with what is kept of people."""
    return [Finding("people", str(place), said, "See docs/accounts.md.", "warning") for place, said in vault.troubles()]


def with_keys(folder: Path, keys: Path, now_us: int) -> int:
    """Lay the keys beside a restored city, and delete what they open no more; give of how many persons it was.

    Who was erased since the backup has no key: he stays erased. Raises BadInput for a file that holds no keys.
    """
    if not keys.is_file():
        raise BadInput("is not there.", code="no_keys", place=str(keys), remedy="Name the keys.sqlite of the city.")
    vault = Vault(folder)
    try:
        if not vault.exists:
            return 0
        vault.take_keys(keys)
        return vault.sweep(now_us)
    finally:
        vault.close()
