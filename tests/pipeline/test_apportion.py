"""Amounts over stretches of time: exact parts, and nothing divided by a stretch that is none."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from quintet.pipeline.apportion import share

HOUR_US = 3_600_000_000


def test_a_stretch_of_no_time_has_no_part_and_warns_of_nothing() -> None:
    """Warnings are errors here; its neighbours in the same column are not touched."""
    amount, part, whole = np.array([7, 100, -5]), np.array([0, HOUR_US, 0]), np.array([0, 4 * HOUR_US, HOUR_US])
    assert share(amount, part, whole).tolist() == [0, 25, 0]


@given(st.integers(-(2**60), 2**60), st.integers(1, 2**42), st.data())
def test_a_part_is_the_exact_floor(amount: int, whole: int, data: st.DataObject) -> None:
    part = data.draw(st.integers(0, whole))
    unit = data.draw(st.sampled_from([1, 1000, 1_000_000]))
    got = share(np.array([amount]), np.array([part * unit]), np.array([whole * unit]))
    assert got.tolist() == [amount * part // whole]
