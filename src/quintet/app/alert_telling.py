"""`quintet alerts telling`: how telling is set up, whether the mail server takes us, and what was sent and failed.

Nothing in it says whose a message is or what it said: that is the household's.
"""

import os
from pathlib import Path
from typing import Any

from quintet.access.telling import TEST, WAITING, Notice, Target
from quintet.alerts.channel import Outcome, Parcel
from quintet.alerts.mail import Mail, checked_address
from quintet.terms.errors import UsageError
from quintet.terms.period import from_us
from quintet.terms.telling_words import words

from .answer import Answer, Progress, document_of
from .cells import plain, rows_of
from .city import City
from .requests_alerts import AlertsTelling
from .settings import read_settings
from .telling_settings import TellingSettings, telling_settings

COLUMNS = ["at", "due", "over", "channel", "kind", "state", "reason", "tries"]
MAIL = "mail"


def alerts_telling(city: City, asked: AlertsTelling, _progress: Progress) -> Answer:
    """List messages, the newest first, with the set-up beside them; ends with 1 where the mail server does not take us.

    Raises UsageError for a test without a mail server, BadInput for what is no mail address or setting.
    """
    settings = read_settings(os.environ, Path.cwd())
    wanted = telling_settings(settings.telling, settings.base, os.environ)
    checks = _checked(city, wanted, asked.test)
    every = sorted(_notices(city), key=lambda one: (-one.at_us, one.parcel))
    shown = [one for one in every if asked.state in ("any", one.state)]
    rows = [_row(city, one) for one in shown[: asked.limit]]
    counts: dict[str, int] = {}
    for one in every:
        counts[one.state] = counts.get(one.state, 0) + 1
    notes = [f"{name}: {said}" for name, said in checks.items()]
    notes += [f"{len(rows)} of {len(shown)} are listed."] if len(shown) > len(rows) else []
    document = {"checks": checks, "counts": counts, "total": len(shown), "messages": rows}
    failed = checks[MAIL].startswith("not ") or checks.get("test", "sent") != "sent"
    title = ", ".join(f"{count} {state}" for state, count in sorted(counts.items())) or "no messages"
    return Answer(COLUMNS, rows_of(COLUMNS, rows), document_of(plain(document)), ["tries"], title, notes, int(failed))


def _notices(city: City) -> list[Notice]:
    """Give all that was told and waits, of whoever is still in the vault."""
    return [one for person in city.people.listed() for one in city.tellings.notices(person.id).values()]


def _row(city: City, one: Notice) -> dict[str, Any]:
    moments = {"at": one.at_us, "due": one.due_us if one.state == WAITING else 0, "over": one.over_us}
    tz = city.engine.tz
    return {
        **{name: from_us(at).astimezone(tz) if at else None for name, at in moments.items()},
        "channel": one.channel, "kind": one.kind, "state": one.state, "reason": one.reason, "tries": one.tries,
    }  # fmt: skip


def _checked(city: City, wanted: TellingSettings, test: str) -> dict[str, str]:
    """Say of each channel how it is set up; the mail server is asked, and a test message sent where one is wanted."""
    checks = {
        MAIL: "no [telling.mail] in quintet.toml: no mail goes out",
        "push": f"where push services find us: {wanted.contact or 'the public address, where it is https'}",
        "webhook": f"private networks that may be called: {', '.join(map(str, wanted.allow)) or 'none'}",
    }
    if wanted.mail is None:
        if test:
            raise UsageError(
                "there is no mail server.", code="no_mail_server", place="--test",
                remedy="Set up [telling.mail] in quintet.toml: docs/telling.md.",
            )  # fmt: skip
        return checks
    mail, held = Mail(wanted.mail), wanted.mail
    checks[MAIL] = _said(mail.check(), f"{held.host}:{held.port} ({held.tls}) takes {held.sender}")
    if test:
        target = Target(MAIL, checked_address(test), city.now(), confirmed_us=city.now())
        checks["test"] = _said(mail.send(target, _parcel(city)), "sent")
    return checks


def _said(outcome: Outcome, fine: str) -> str:
    return fine if outcome.end == "sent" else f"not taken: {outcome.reason}"


def _parcel(city: City) -> Parcel:
    """Write the test message."""
    now, table = city.now(), words("en")
    notice = Notice("", "", "", TEST, "", table["test.title"], table["test.text"], "", "", now, now, now)
    return Parcel(f"test.{now}", (notice,), "en", table["test.title"], now, city.registry().city.name_en, "", "")
