"""How the building manager's pages are written: the frame, and the words, days and won of a language."""

import json
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from functools import cache
from html import escape
from importlib.resources import files
from types import MappingProxyType
from typing import Any, NamedTuple
from urllib.parse import urlencode

from .page import LANGUAGES

TABS = ("visits", "close", "allocation")
MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


@cache
def manager_strings(language: str) -> dict[str, str]:
    """Give the pages' strings of a language by key."""
    text = files("quintet.web").joinpath("strings", "manager", f"{language}.json").read_text(encoding="utf-8")
    return dict(json.loads(text))


class Frame(NamedTuple):
    """What a page is made for: its language, the view, the place and month asked for, and the places to choose.

    `more`: what else this view was asked with; it stays when the language is changed.
    """

    language: str
    view: str
    place: str
    month: str
    places: Sequence[tuple[str, str]]
    more: Mapping[str, str] = MappingProxyType({})

    def t(self, key: str, **gaps: Any) -> str:
        """Give a string with its gaps filled, ready for a page."""
        return escape(self.text(key, **gaps))

    def text(self, key: str, **gaps: Any) -> str:
        """Give a string with its gaps filled."""
        return manager_strings(self.language)[key].format(**gaps)

    def has(self, key: str) -> bool:
        """Tell whether there is such a string."""
        return key in manager_strings(self.language)

    def of(self, said: Any, name: str = "") -> str:
        """Give the reader's language of an answer's pair of texts, ready for a page."""
        return escape(str(getattr(said, f"{name}_{self.language}" if name else self.language)))

    def won(self, amount: int | None) -> str:
        """Write an amount of won."""
        return "–" if amount is None else self.t("won", won=f"{amount:,}")

    def day(self, day: date) -> str:
        """Write a day."""
        return f"{day.month}월 {day.day}일" if self.language == "ko" else f"{day.day} {MONTHS[day.month - 1]}"

    def month_name(self, month: str) -> str:
        """Write a month, so that no line breaks in it."""
        year, _, number = month.partition("-")
        korean = f"{year}년\u00a0{int(number)}월"
        return korean if self.language == "ko" else f"{MONTHS[int(number) - 1]}\u00a0{year}"

    def moment(self, at: datetime) -> str:
        """Write a day and its time."""
        return f"{self.day(at.date())} {at:%H:%M}"

    def address(self, view: str, **more: str) -> str:
        """Give the address of a view of the same building and month; of this view, with what it was asked with."""
        more = {**self.more, **more} if view == self.view else more
        said = {"place": self.place, "month": self.month, "lang": self.language, **more}
        return f"/building/{view}?{urlencode({key: value for key, value in said.items() if value})}"


def within(place: str, building: str) -> str:
    """Give a place as it is called inside a building, ready for a page."""
    return escape(place.removeprefix(f"{building}/").replace("/", " · "))


def unit_name(code: str) -> str:
    """Write a unit as people do."""
    return escape(code.replace("m3", "m³"))


def icon(name: str) -> str:
    """Give a mark; the word beside it says the same."""
    return f'<svg class="icon" aria-hidden="true"><use href="/static/icons.svg#{name}"></use></svg>'


def chip(kind: str, text: str, mark: str = "") -> str:
    """Give a small label; `text` is ready for a page."""
    return f'<span class="chip {kind}">{icon(mark) if mark else ""}{text}</span>'


def page(frame: Frame, heading: str, body: str) -> str:
    """Write a whole page."""
    tabs = "".join(
        f'<a href="{escape(frame.address(view))}"{_current(view == frame.view, "page")}>{frame.t(f"tab.{view}")}</a>'
        for view in TABS
    )
    links = "".join(
        f'<a href="{escape(frame.address(frame.view, lang=code))}" hreflang="{code}" lang="{code}"'
        f"{_current(code == frame.language, 'true')}>{escape(manager_strings(code)['lang.name'])}</a>"
        for code in LANGUAGES
    )
    return "".join([
        f'<!doctype html><html lang="{frame.language}"><head><meta charset="utf-8">',
        '<meta name="viewport" content="width=device-width, initial-scale=1">',
        '<meta name="color-scheme" content="light dark"><meta name="robots" content="noindex">',
        # a form says where it comes from only where a page may name itself: to this site alone
        '<meta name="referrer" content="same-origin">',
        f"<title>{frame.t(f'tab.{frame.view}')} · {frame.t('title')} · {frame.t('brand')}</title>",
        '<link rel="icon" href="/static/mark.svg" type="image/svg+xml">',
        '<link rel="stylesheet" href="/static/page.css"><link rel="stylesheet" href="/static/manager/manager.css">',
        f'</head><body><a class="skip" href="#list">{frame.t("skip")}</a>',
        f'<header class="bar"><span class="brand">{frame.t("brand")}</span>',
        f'<span class="city">{frame.t("title")}</span><nav class="languages" aria-label="Language">{links}</nav>',
        f'</header><nav class="tabs" aria-label="{frame.t("nav")}">{tabs}</nav>',
        f'<main class="manager"><h1>{heading}</h1>{body}</main></body></html>',
    ])  # fmt: skip


def _current(here: bool, word: str) -> str:
    return f' aria-current="{word}"' if here else ""


def chooser(frame: Frame, more: str = "") -> str:
    """Write the form in which building and month are chosen; the walk has no month."""
    options = "".join(
        f'<option value="{escape(place)}"{" selected" if place == frame.place else ""}>{escape(name)}</option>'
        for place, name in frame.places
    )
    month = "" if frame.view == "visits" else (
        f'<label><span>{frame.t("choose.month")}</span><input name="month" value="{escape(frame.month)}"'
        ' inputmode="numeric" pattern="[0-9]{4}-[0-9]{2}" size="8" required></label>'
    )  # fmt: skip
    return (
        f'<form class="chooser" method="get" action="/building/{frame.view}">'
        f'<input type="hidden" name="lang" value="{frame.language}">'
        f"{hidden(**{name: value for name, value in frame.more.items() if name == 'commodity'})}"
        f'<label><span>{frame.t("choose.place")}</span><select name="place">{options}</select></label>{month}{more}'
        f'<button type="submit">{frame.t("choose.show")}</button></form>'
    )


def hidden(**values: str) -> str:
    """Write the fields that a form carries along."""
    return "".join(f'<input type="hidden" name="{name}" value="{escape(value)}">' for name, value in values.items())


def problem_page(frame: Frame, code: str, said: str) -> str:
    """Write what went wrong and what to do, with the way back to one's own buildings."""
    key = f"problem.{code}"
    text = frame.t(key) if frame.has(key) else frame.t("problem.other", said=said)
    choose = chooser(frame) if frame.places else ""
    return page(frame, frame.t("problem.title"), f'{choose}<p class="problem" role="alert">{text}</p>')
