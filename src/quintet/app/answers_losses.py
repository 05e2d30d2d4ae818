"""The operation that answers with the losses of networks."""

from quintet.access import EVERYTHING
from quintet.ledger.networks import LOSSES
from quintet.terms.period import Resolution
from quintet.views.losses import AMOUNTS, losses_of

from .answer import Answer, Progress, document_of
from .asked_time import asked_moment, asked_span
from .cells import local, plain, rows_of
from .city import City
from .requests import Losses

COLUMNS = list(LOSSES.names)
SHARES = [name for name in COLUMNS if name.endswith(("_share", "_coverage"))]


def network_losses(city: City, asked: Losses, _progress: Progress) -> Answer:
    """Give head, what is below and the loss of networks, period by period."""
    tz = city.registry().tz
    span, known_at = asked_span(asked.start, asked.end, tz), asked_moment(asked.known_at, tz)
    found = losses_of(
        city.access(EVERYTHING),
        span,
        Resolution(asked.resolution),
        place=asked.place or "",
        network=asked.network or "",
        known_at=known_at,
    )
    rows = found.rows(tz)
    document = {"known_at": local(found.known_at, tz), "rule_set": found.rule_set, "rows": plain(rows)}
    notes = [] if rows else ["No network stands there: city.toml declares them as [[feeder]]."]
    return Answer(
        COLUMNS,
        rows_of(COLUMNS, rows),
        document_of(document),
        numbers=[*AMOUNTS, *SHARES],
        title=f"losses by {asked.resolution}, head less what is below; known at {local(found.known_at, tz)}",
        notes=notes,
    )
