"""The operation that answers with facilities that have a service."""

from quintet.access import EVERYTHING
from quintet.terms.period import Resolution
from quintet.views.facilities import FIGURES, facilities_of

from .answer import Answer, Progress, document_of
from .asked_time import asked_moment, asked_span
from .cells import local, plain, rows_of
from .city import City
from .requests import Facilities

COLUMNS = ["start", "facility", "name", "class", "place", *FIGURES, "reason"]


def facility_service(city: City, asked: Facilities, _progress: Progress) -> Answer:
    """Give the hours of service of facilities, the energy they took, and what a comfortable, clean hour costs."""
    tz = city.registry().tz
    span, known_at = asked_span(asked.start, asked.end, tz), asked_moment(asked.known_at, tz)
    found = facilities_of(
        city.access(EVERYTHING), span, Resolution(asked.resolution), place=asked.place, known_at=known_at
    )
    document = {"known_at": local(found.known_at, tz), "rule_set": found.rule_set, "rows": plain(found.rows)}
    return Answer(
        COLUMNS,
        rows_of(COLUMNS, found.rows),
        document_of(document),
        numbers=list(FIGURES),
        title=f"facilities at {asked.place} by {asked.resolution}; known at {local(found.known_at, tz)}",
        notes=[] if found.rows else ["No facility stands there: city.toml declares them as [[facility]]."],
    )
