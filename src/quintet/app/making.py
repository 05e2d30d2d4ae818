"""Making a city's folder: new, from a backup, or brought to a store's version, while nobody else has it."""

from pathlib import Path
from typing import Any

from quintet.pipeline.commit import now_us
from quintet.store.backup import restore_backup
from quintet.store.migration import migrate_store
from quintet.terms.errors import CityError
from quintet.terms.reading import clock

from .answer import Answer, Progress, Step, document_of
from .belongings import with_keys
from .cells import rows_of
from .city import City
from .owner import claim
from .settings import CITY_MARK
from .way_back import said_of_way_back


def create_city(folder: Path, *, name_en: str, name_ko: str, timezone: str, simulated: bool = False) -> None:
    """Make a new city in a folder that is none yet; raises CityError where it cannot, BadInput for an unknown clock."""
    clock(timezone)
    refuse_what_exists(folder)
    folder.mkdir(parents=True, exist_ok=True)
    owner = claim(folder, "command")
    if owner is None:
        raise CityError("another process is making a city here.", code="city_exists", place=str(folder))
    try:
        City.create(folder, name_en=name_en, name_ko=name_ko, timezone=timezone, simulated=simulated).close()
    finally:
        owner.release()


def restore_city(source: Path, folder: Path, progress: Progress, keys: Path | None = None) -> Answer:
    """Make a city folder from a backup, with the keys of people where they are named.

    Raises CityError where a city is already, BadInput for what is no backup.
    """
    refuse_what_exists(folder)
    progress(Step("checking and copying"))
    facts: dict[str, Any] = {"restored": str(folder), "files": restore_backup(source, folder)}
    if keys is not None:
        facts["erased_since"] = with_keys(folder, keys, now_us())
    columns = list(facts)
    return Answer(columns, rows_of(columns, [facts]), document_of(facts))


def migrate_city(folder: Path, target: int | None) -> Answer:
    """Bring a city's store to a version while nobody has it; raises CityError where another process does."""
    if not (folder / CITY_MARK).is_file():
        raise CityError("is no city.", code="no_city", place=str(folder), remedy="Name the city folder with --city.")
    owner = claim(folder, "command")
    if owner is None:
        raise CityError(
            "another process has this city open.",
            code="city_busy",
            place=str(folder),
            remedy="Stop `serve` first: a store is migrated while nobody reads or writes it.",
        )
    try:
        before, after = migrate_store(folder, target)
    finally:
        owner.release()
    facts = {"before": before, "after": after}
    columns = list(facts)
    notes = said_of_way_back(before, after)
    return Answer(columns, rows_of(columns, [facts]), document_of(facts), numbers=columns, notes=notes)


def refuse_what_exists(folder: Path) -> None:
    """Raise CityError for a folder that already is a city, or a path that is no folder."""
    if (folder / CITY_MARK).exists():
        raise CityError(
            "is a city already.",
            code="city_exists",
            place=str(folder),
            remedy="Use it with --city, or choose another folder; nothing was changed.",
        )
    if folder.exists() and not folder.is_dir():
        raise CityError("is no folder.", code="no_folder", place=str(folder), remedy="Choose another path.")
