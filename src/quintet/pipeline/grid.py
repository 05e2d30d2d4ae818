"""Rows that lie on the grid and rows that do not, put together to one row a slot."""

import numpy as np

from quintet.terms.period import MICROSECONDS

from .apportion import Pieces, join_pieces, settle, spread
from .shapes import (
    I32,
    I64,
    QUESTIONABLE,
    U8,
    VALID,
    Block,
    Channels,
    Evidence,
    Findings,
    Gaps,
    Mask,
    Spans,
    found,
    join_findings,
    no_gaps,
)


def column_of(column: I64, channel: I32) -> I64 | np.int64:
    """Give a channel property for every row, or one scalar where all of them share it (then arithmetic is faster)."""
    touched = column[channel[0] : channel[-1] + 1]
    return column[channel[0]] if bool((touched == touched[0]).all()) else column[channel]


def on_grid(evidence: Evidence, channels: Channels) -> tuple[Mask, I64 | np.int64]:
    """Tell which stamps are slot edges; gives the cadence of every row (or the one of all) too. At least one row."""
    cadence = column_of(channels.cadence_us, evidence.channel)
    local = evidence.at_us + column_of(channels.phase_us, evidence.channel)
    return local // cadence * cadence == local, cadence


def split(spans: Spans, channels: Channels) -> tuple[tuple[I32, I64, I64, U8], Spans]:
    """Take the known spans that are one slot each as rows (channel, start, value, quality); gives the others too."""
    cadence = channels.cadence_us[spans.channel]
    local = spans.start_us + channels.phase_us[spans.channel]
    whole = spans.known & (spans.end_us - spans.start_us == cadence) & (local // cadence * cadence == local)
    quality = np.where(spans.doubtful[whole], np.uint8(QUESTIONABLE), np.uint8(VALID))
    return (spans.channel[whole], spans.start_us[whole], spans.amount[whole], quality), spans.take(~whole)


def gap_findings(gaps: Gaps) -> Findings:
    """Name every gap."""
    return found(gaps.channel, gaps.start_us, "V03_gap")


def assemble(
    regular: tuple[I32, I64, I64, U8], spans: Spans | None, findings: list[Findings], channels: Channels
) -> Block:
    """Put rows that fill one slot each (channel, start, value, quality; sorted) and spans together.

    Few spans among many regular rows cost only their own work and one insertion.
    """
    if spans is None or not len(spans.channel):
        return Block(*regular, no_gaps(), join_findings(findings))
    pieces, gaps = spread(spans, channels)
    findings = [*findings, gap_findings(gaps)]
    rows = _blend(regular, pieces, channels)
    return Block(*rows, gaps, join_findings(findings))


def _blend(regular: tuple[I32, I64, I64, U8], pieces: Pieces, channels: Channels) -> tuple[I32, I64, I64, U8]:
    """Insert settled pieces into the regular rows; where both touch a slot, the row becomes a piece and they add up."""
    odd = settle(pieces, channels)
    if not len(regular[0]) or not len(odd[0]):
        return odd if not len(regular[0]) else regular
    origin = min(int(regular[1].min()), int(odd[1].min()))
    width = (max(int(regular[1].max()), int(odd[1].max())) - origin) // MICROSECONDS + 1
    key = regular[0].astype(np.int64) * width + (regular[1] - origin) // MICROSECONDS
    odd_key = odd[0].astype(np.int64) * width + (odd[1] - origin) // MICROSECONDS
    at = np.searchsorted(key, odd_key)
    hit = key[np.minimum(at, len(key) - 1)] == odd_key
    if bool(hit.any()):
        shared = at[hit]
        whole = channels.cadence_us[regular[0][shared]]
        doubtful = regular[3][shared] == QUESTIONABLE
        more = Pieces(regular[0][shared], regular[1][shared], regular[2][shared], whole, doubtful)
        left = np.ones(len(key), np.bool_)
        left[shared] = False
        channel, start, value, quality = regular
        return _blend((channel[left], start[left], value[left], quality[left]), join_pieces([pieces, more]), channels)
    return (
        np.insert(regular[0], at, odd[0]),
        np.insert(regular[1], at, odd[1]),
        np.insert(regular[2], at, odd[2]),
        np.insert(regular[3], at, odd[3]),
    )
