"""The web over one open city: pages and API ask with the rights of whoever asks."""

from collections.abc import Sequence
from typing import Any

from fastapi import FastAPI

from quintet import __version__
from quintet.store.book import batches
from quintet.terms.period import from_us
from quintet.web.site import Part, build

from .city import City
from .doorkeeper import CityDoorkeeper


def build_site(city: City, parts: Sequence[Part] = (), doorkeeper: CityDoorkeeper | None = None) -> FastAPI:
    """Build the web application of a city, with the parts that its doors mount."""
    keeper = doorkeeper or CityDoorkeeper(city, None)
    return build(keeper.questions, health=lambda: health(city), parts=parts, doorkeeper=keeper)


def health(city: City) -> dict[str, Any]:
    """Say how the owner and its city are; reads the store, so that a store that cannot be read is not called well."""
    settings = city.registry().city
    with city.engine.snapshot() as snapshot:
        newest = batches(snapshot, 1)
    return {
        "status": "ok",
        "version": __version__,
        "city": settings.name_en,
        "simulated": settings.simulated,
        "rule_set": city.rule_set,
        "last_batch": newest[0].id if newest else 0,
        "now": from_us(city.now()).isoformat(),
    }
