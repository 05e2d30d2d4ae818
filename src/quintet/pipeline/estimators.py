"""The order of estimators in force for a city: what ships, overlaid by the decisions that its registry holds.

A decision is a dated record of kind `estimation_order` with the key SUBJECT/CLASS, in force from its batch on.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from quintet.registry import Registry
from quintet.store.engine import Snapshot
from quintet.store.records import ALWAYS, Record
from quintet.terms.catalogue import check_keys
from quintet.vee import Order, shipped_order

from .rows import I32

KIND = "estimation_order"
KEYS = {"estimators", "scaled", "reason", "source", "date"}


def order_of(registry: Registry) -> Order:
    """Give the order in force; a decision that names what is no estimator (any more) is refused by name."""
    order = shipped_order()
    for key, said in registry.timelines(KIND).items():
        body = said[-1][1]
        if body is None:
            continue
        subject, _, code = key.partition("/")
        check_keys(dict(body), required=KEYS, optional=set(), place=f"{KIND} {key}")
        origin = f"{body['source']}, {body['date']}"
        order = order.with_choice(subject, code, body["estimators"], body["scaled"], origin, body["reason"])
    return order


def decision(
    subject: str, code: str, estimators: Sequence[str], scaled: Sequence[str], said: Mapping[str, Any]
) -> Record:
    """Give the record of a decision for a subject and a class of gaps; `said` is its reason, source and date."""
    body = {"estimators": list(estimators), "scaled": list(scaled), **said}
    return Record(KIND, f"{subject}/{code}", ALWAYS, body)


def estimated_anew(snapshot: Snapshot, subjects: Sequence[str], after: Order, before: Order) -> I32:
    """Find the channels (by number; `subjects` are theirs) with gaps for which estimators are asked otherwise.

    A channel has gaps only where something was estimated, or where derivation or a rule found something.
    """
    changed = [name for name in set(subjects) if after.differs(before, name)]
    if not changed:
        return np.zeros(0, np.int32)
    found = snapshot.arrow(
        """select distinct channel from (select channel from finding
            union all select channel from rollup_day where estimated <> 0)"""
    )["channel"].to_numpy()
    own = np.array([name in changed for name in subjects], np.bool_)
    found = found[found < len(own)]
    return np.unique(found[own[found]]).astype(np.int32)
