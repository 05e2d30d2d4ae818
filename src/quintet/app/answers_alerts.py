"""Operations on a city's alerts: lists, looks, calls no problem, reports."""

from typing import Any

from quintet.terms.alert import DISMISSED, ENDED, STANDING, Alert
from quintet.terms.alert_words import said
from quintet.terms.errors import UsageError
from quintet.terms.period import from_us

from .alert_looks import homes_of, look
from .alert_report import report_here
from .answer import Answer, Progress, Step, document_of
from .cells import plain, rows_of
from .city import City
from .requests_alerts import AlertsDismiss, AlertsList, AlertsReport, AlertsRun

STATES = (STANDING, DISMISSED, ENDED, "any")
LISTED = ["id", "place", "kind", "commodity", "severity", "state", "since", "raised_at", "won", "won_per", "text"]
RUN = ["homes", "raised", "ended", "standing"]


def alerts_list(city: City, asked: AlertsList, _progress: Progress) -> Answer:
    """List alerts, those to act on first, then by what they cost. Raises UsageError for a state that is none."""
    if asked.state not in STATES:
        raise UsageError(
            f"{asked.state!r} is no state.", code="bad_state", place="--state", remedy=f"One of {', '.join(STATES)}."
        )
    city.registry().need_place(asked.place)
    homes = homes_of(city, asked.place)
    found = [
        one for place in homes for one in city.alerts.of(place)
        if asked.state in ("any", one.state) and asked.kind in (None, one.kind)
    ]  # fmt: skip
    found.sort(key=lambda one: (one.row.order, -(one.won or 0), one.id))
    rows = [row_of(city, one, asked.language) for one in found[: asked.limit]]
    notes = [f"{len(rows)} of {len(found)} are listed."] if len(found) > len(rows) else []
    document = {"place": asked.place, "total": len(found), "alerts": rows}
    title = f"{len(found)} alerts"
    return Answer(LISTED, rows_of(LISTED, rows), document_of(plain(document)), ["won"], title, notes)


def row_of(city: City, one: Alert, language: str) -> dict[str, Any]:
    """Give an alert as a row, with all that is known of it."""
    tz = city.engine.tz
    words = said(one, language, tz)
    moments = {"since": one.since_us, "raised_at": one.raised_us, "ended_at": one.ended_us,
               "dismissed_at": one.dismissed_us}  # fmt: skip
    return {
        "id": one.id, "place": one.place, "kind": one.kind, "commodity": one.commodity, "severity": one.severity,
        "state": one.state, "won": one.won, "won_per": one.won_per, "won_reason": one.won_reason,
        "confidence": round(one.confidence, 6), "figures": dict(one.figures), "end_reason": one.end_reason,
        **{name: None if at is None else from_us(at).astimezone(tz) for name, at in moments.items()},
        "text": " ".join(part for part in (words.text, words.won) if part), "action": words.action,
        "told": [{"at": from_us(told.at_us).astimezone(tz), "by": told.by, "outcome": told.outcome}
                 for told in one.told],
    }  # fmt: skip


def alerts_run(city: City, asked: AlertsRun, progress: Progress) -> Answer:
    """Look at the dwellings of a place now, and write down what changed."""
    city.registry().need_place(asked.place)
    homes = homes_of(city, asked.place)

    def step(done: int) -> None:
        progress(Step("looking at dwellings", done, len(homes)))

    tally = look(city, homes, alike=True, step=step)
    facts = {"homes": tally.homes, "raised": len(tally.raised), "ended": len(tally.ended),
             "standing": sum(one.state == STANDING for one in city.alerts.open())}  # fmt: skip
    return Answer(RUN, rows_of(RUN, [facts]), document_of(facts), RUN)


def alerts_dismiss(city: City, asked: AlertsDismiss, _progress: Progress) -> Answer:
    """Call an alert no problem, or take that back."""
    done = city.alerts.undo(asked.id, by=asked.by) if asked.undo else city.alerts.dismiss(asked.id, by=asked.by)
    row = row_of(city, done, "en")
    return Answer(LISTED, rows_of(LISTED, [row]), document_of(plain(row)), ["won"])


def alerts_report(city: City, asked: AlertsReport, progress: Progress) -> Answer:
    """Report how often alerts would have been raised in this city."""
    return report_here(city, asked, progress)
