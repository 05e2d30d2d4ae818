"""What the resident's page shows before its script runs: the figures of today, written into its frame by the server.

The marks are those of frontend/src (App, Now, Tile): the script puts its own in their place, and nothing moves. What is
left out here, comparisons and courses, comes with it.
"""

from collections.abc import Mapping, Sequence
from decimal import ROUND_HALF_UP, Decimal
from html import escape
from typing import Any
from urllib.parse import urlencode

VOLUME = "m3"
UNITS = {VOLUME: "m³"}
UNCOUNTED = ("none", "new", "stopped")
"""States of a utility whose figure is not shown here: there is none, or it is no praise without its sentence."""
TOLD = ("not_agreed", "no_card", "no_price", "lacks")
"""Reasons why a use has no won that have words of their own."""
SPACE = "&nbsp;"


class First:
    """Writes one home's first view."""

    def __init__(self, now: Mapping[str, Any], language: str, said: Mapping[str, str], kept: Mapping[str, str]) -> None:
        """Take what /home/now answers, the words of a language, and what each address keeps: place and language."""
        self._now, self._language, self._said, self._kept = now, language, said, kept

    def html(self, views: Sequence[str]) -> str:
        """Give what stands in the page until its script runs."""
        simulated = (
            f'<p class="chip watch">{icon("simulated")}{self._t("simulated")}</p>' if self._now["simulated"] else ""
        )
        tiles = "".join(self._tile(one) for one in self._now["tiles"])
        metered = any(one["state"] != "none" for one in self._now["tiles"])
        why = self._why() if self._now["won"] is None else ""
        wrong = f'<p class="wrong"><span>{self._t("now.looking")}</span></p>' if metered else ""
        if metered and not why:
            wrong += f'<p class="coming"><span>{self._t("ahead.looking")}</span></p>'
        return (
            f'<header class="bar"><p class="place">{self._named(self._now)}</p>{simulated}</header>'
            f'<main id="main">{self._hero(why)}{wrong}<div class="tiles">{tiles}</div></main>'
            f'<nav class="tabs" aria-label="{self._t("nav")}">{"".join(self._tab(one) for one in views)}</nav>'
        )

    def _why(self) -> str:
        """Name the sentence of why today has no won, by what the tiles say (frontend/src/lib/nowon.ts)."""
        tiles = self._now["tiles"]
        reasons = {
            one["won_reason"] if one["won_reason"] in TOLD else "other"
            for one in tiles
            if one["use"] is not None and one["won"] is None and one["state"] not in UNCOUNTED
        }
        if not reasons:
            return "now.noreading" if any(one["state"] != "none" for one in tiles) else "now.nometers"
        return f"nowon.{reasons.pop()}" if len(reasons) == 1 else "now.nowon"

    def _hero(self, why: str) -> str:
        won = self._now["won"]
        if won is None:
            said = f'<p class="note">{self._t(why)}</p>'
        else:
            said = f'<p class="big"><data value="{won}">{self._won(won)}</data></p><p class="note">{SPACE}</p>'
        chips = f'<p class="chips">{self._as_of()}</p>'
        return f'<section class="hero"><h1>{self._t("now.title")}</h1>{said}{chips}</section>'

    def _as_of(self) -> str:
        """Say when the newest reading is of, where that is today; a reading of another day waits for the script."""
        at = self._now["as_of"]
        if at is None or at[:10] != self._now["day"]:
            return ""
        time = self._said["time.today"].format(time=at[11:16])
        mark, kind = (icon("watch"), "chip watch") if self._now["stale"] else ("", "chip")
        return f'<span class="{kind}">{mark}{self._t("asof", time=time)}</span>'

    def _tile(self, tile: Mapping[str, Any]) -> str:
        state, unit = str(tile["state"]), str(tile["unit"])
        head = f"<h2>{icon(tile['commodity'])}{self._title(tile)}</h2>"
        figure = course = won = ""
        words = self._t(f"tile.{state}") if state in ("none", "new") else SPACE
        if state not in UNCOUNTED and tile["use"] is not None:
            few = tile["coverage"] is not None and tile["coverage"] < 0.8
            shown = amount(tile["use"], unit)
            figure = (
                f'<p class="figure{" few" if few else ""}"><data value="{tile["use"]}">{shown}</data>'
                f" <small>{escape(UNITS.get(unit, unit))}</small></p>"
            )
            course = '<div class="course"><div class="spark"></div></div>'
            won = f'<span class="won">{self._won(tile["won"])}</span>' if tile["won"] is not None else ""
        return (
            f'<article class="tile" data-commodity="{escape(tile["commodity"])}" data-state="{escape(state)}">'
            f'{head}{figure}{course}<p class="words">{won}<span>{words}</span></p></article>'
        )

    def _title(self, tile: Mapping[str, Any]) -> str:
        if tile["state"] == "none":
            return f"<span>{self._named(tile)}</span>"
        return f'<a href="{self._address("history", utility=tile["commodity"])}">{self._named(tile)}</a>'

    def _tab(self, view: str) -> str:
        here = ' aria-current="page"' if view == "now" else ""
        label = f"{icon(view)}<span>{self._t(f'nav.{view}')}</span>"
        return f'<a href="{self._address(view)}" data-view="{view}"{here}>{label}</a>'

    def _address(self, view: str, **more: str) -> str:
        query = urlencode({**self._kept, **more})
        return escape(f"/home{'' if view == 'now' else f'/{view}'}{f'?{query}' if query else ''}")

    def _named(self, one: Mapping[str, Any]) -> str:
        return escape(str(one[f"name_{self._language}"]))

    def _won(self, value: float) -> str:
        said = self._t("won", won=plain(abs(value), 0))
        return f"−{said}" if rounded(value, 0) < 0 else said

    def _t(self, key: str, **gaps: str) -> str:
        return escape(self._said[key].format(**gaps))


def icon(name: str) -> str:
    """Draw a mark of the page's."""
    return f'<svg class="icon" aria-hidden="true"><use href="/static/icons.svg#{escape(name)}"></use></svg>'


def amount(value: float, unit: str) -> str:
    """Write kWh with one decimal under 100 and none above, m³ with two."""
    if unit == VOLUME:
        return plain(value, 2)
    return plain(value, 1 if rounded(abs(value), 1) < 100 else 0)


def plain(value: float, places: int) -> str:
    """Write a number with its thousands apart; what rounds to nothing has no sign."""
    said = f"{rounded(abs(value), places):,}"
    return f"−{said}" if value < 0 and any(one in said for one in "123456789") else said


def rounded(value: float, places: int) -> Decimal:
    """Round as browsers do: what lies in the middle goes up."""
    return Decimal(value).quantize(Decimal(1).scaleb(-places), ROUND_HALF_UP)
