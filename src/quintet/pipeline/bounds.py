"""The bounds of grouped commits: data with source and reason, unknown keys refused."""

from dataclasses import dataclass
from functools import cache

from quintet.terms.catalogue import numbers_of, read_toml


@dataclass(frozen=True, slots=True)
class Limits:
    """The numbers of `data/grouping.toml`.

    `group_rows`, `group_deliveries`: most of each in one commit; `linger_ms`: how long deliveries gather between two
    commits; `queue_rows`, `queue_bytes`: most that waits; `longest_retry_s`: longest a door is told to wait;
    `key_days`: how long a key is known, `prune_every_s`: how often older ones are forgotten; `problems_kept`: most
    refused rows in a repeated answer; `sources_named`: most sources that a batch names; `future_allowance_s`: how far
    ahead of the receipt a stamp may be; `vanished_after`: deliveries after which an absent field has vanished;
    `source_fields`, `shape_sources`: most fields of a source and sources whose fields are remembered; `most_rounds`:
    most batches that one delivery in order is cut into; `ahead_rows`: fewest rows that are resolved before they wait;
    `smoothing_percent`: share of the newest commit in the rate of
    late; `few_rows`, `reading_bytes`, `delivery_bytes`: what small deliveries weigh; `replay_page`: rows tried at once.
    """

    group_rows: int
    group_deliveries: int
    linger_ms: int
    queue_rows: int
    queue_bytes: int
    longest_retry_s: int
    key_days: int
    prune_every_s: int
    problems_kept: int
    sources_named: int
    future_allowance_s: int
    vanished_after: int
    source_fields: int
    shape_sources: int
    most_rounds: int
    ahead_rows: int
    smoothing_percent: int
    few_rows: int
    reading_bytes: int
    delivery_bytes: int
    replay_page: int


@cache
def limits() -> Limits:
    """Give the shipped bounds (`data/grouping.toml`)."""
    return Limits(**numbers_of(read_toml("quintet.pipeline", "grouping.toml"), Limits.__slots__, "grouping.toml"))
