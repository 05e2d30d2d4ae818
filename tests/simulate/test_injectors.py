"""Injectors alter what they say they alter, and nothing else; what they touch is marked."""

import numpy as np
import pytest

from quintet.simulate.injectors import FUNCTIONS, injectors, injectors_from
from quintet.simulate.stretch import Stretch
from quintet.terms.errors import BadInput

QUARTER_US = 900_000_000
DAYS = 20
BEGIN = 10 * 96 + 37


def stretch(register: bool) -> Stretch:
    rng = np.random.default_rng(3)
    use = np.round(rng.gamma(1.2, 0.2, DAYS * 96) + 0.01, 3)
    other = np.round(use[::-1] * 2, 3)
    at = QUARTER_US * np.arange(DAYS * 96 + int(register), dtype=np.int64)
    if register:
        use, other = (100 + np.concatenate([[0.0], np.cumsum(one)]) for one in (use, other))
    return Stretch(at, use, QUARTER_US, register, BEGIN, 1e5 if register else 0.0, other)


CASES = [
    (code, magnitude, kind)
    for code, one in injectors().items()
    for magnitude in one.magnitudes
    for kind in sorted(one.kinds)
]


@pytest.mark.parametrize(("code", "magnitude", "kind"), CASES)
def test_what_is_not_touched_is_as_it_was(code: str, magnitude: float, kind: str) -> None:
    whole = stretch(kind == "register")
    faulted = injectors()[code].inject(whole, magnitude, np.random.default_rng(1))
    assert faulted.touched.shape == whole.amounts.shape
    assert faulted.touched.any()
    assert not faulted.touched[:BEGIN].any()
    assert len(faulted.at_us) == len(faulted.value)
    assert np.array_equal(whole.value, stretch(kind == "register").value)
    # Readings before the fault are those of the stretch; a rollover alone starts the whole count elsewhere.
    untouched = BEGIN + int(whole.register)
    before = faulted.at_us < whole.at_us[untouched]
    if code != "rollover" and not (code == "rollback" and magnitude > 1):
        assert np.allclose(faulted.value[before], whole.value[:untouched])
    if whole.register:
        return
    same = dict(zip(whole.at_us.tolist(), whole.value.tolist(), strict=True))
    touched = set(whole.at_us[faulted.touched].tolist())
    # A lump stands in the first interval after an outage: the one interval that is marked for it.
    for at, value in zip(faulted.at_us.tolist(), faulted.value.tolist(), strict=True):
        assert at in touched or value == pytest.approx(same[at], abs=1e-6)


@pytest.mark.parametrize(("code", "magnitude", "kind"), CASES)
def test_a_fault_changes_the_readings_and_the_same_chance_gives_the_same(
    code: str, magnitude: float, kind: str
) -> None:
    whole = stretch(kind == "register")
    first, again = (injectors()[code].inject(whole, magnitude, np.random.default_rng(9)) for _ in range(2))
    assert np.array_equal(first.at_us, again.at_us)
    assert np.array_equal(first.value, again.value, equal_nan=True)
    unchanged = len(first.value) == len(whole.value) and np.array_equal(first.at_us, whole.at_us)
    assert not (unchanged and np.array_equal(first.value, whole.value))


def test_amounts_are_what_the_magnitude_says() -> None:
    whole = stretch(register=True)
    scaled = FUNCTIONS["scale"](whole, 2.0, np.random.default_rng(1))
    days3 = slice(BEGIN, BEGIN + 3 * 96)
    assert np.diff(scaled.value)[days3].sum() == pytest.approx(2 * whole.amounts[days3].sum(), abs=1e-3)
    assert np.diff(scaled.value).sum() == pytest.approx(whole.amounts.sum() + whole.amounts[days3].sum(), abs=1e-3)
    dead = FUNCTIONS["dead"](whole, 1.0, np.random.default_rng(1))
    assert not np.diff(dead.value)[BEGIN : BEGIN + 96].any()
    lump = FUNCTIONS["outage"](stretch(register=False), 2.0, np.random.default_rng(1))
    assert lump.value.sum() == pytest.approx(stretch(register=False).value.sum())
    rolled = FUNCTIONS["rollover"](whole, 1.0, np.random.default_rng(1))
    assert (np.diff(rolled.value) < 0).sum() == 1
    assert np.diff(rolled.value)[np.diff(rolled.value) > 0].sum() == pytest.approx(
        np.delete(whole.amounts, BEGIN).sum(), abs=1e-2
    )


def test_a_row_without_function_and_a_function_without_row_are_refused() -> None:
    row = {"unit": "x", "magnitudes": [1], "kinds": ["sum"]}
    table = {"source": "s", "date": "d", "injector": dict.fromkeys(FUNCTIONS, row)}
    assert injectors_from(table).keys() == FUNCTIONS.keys()
    with pytest.raises(BadInput, match="gremlin"):
        injectors_from({**table, "injector": {**table["injector"], "gremlin": row}})
    with pytest.raises(BadInput, match="spike"):
        injectors_from({**table, "injector": {code: row for code in FUNCTIONS if code != "spike"}})
    with pytest.raises(BadInput, match="injector spike"):
        injectors_from({**table, "injector": {**table["injector"], "spike": {**row, "colour": 1}}})


def test_held_out_faults_are_what_they_are_called() -> None:
    whole, rng = stretch(register=False), np.random.default_rng(4)
    three = slice(BEGIN, BEGIN + 3 * 96)
    lost = FUNCTIONS["pulses"](whole, 0.6, rng).value[three]
    assert lost.sum() == pytest.approx(0.4 * whole.value[three].sum(), rel=0.05)
    assert np.allclose(lost * 1000, np.round(lost * 1000))
    assert FUNCTIONS["phase"](whole, 1.0, rng).value[BEGIN:].sum() == pytest.approx(whole.value[BEGIN:].sum() * 2 / 3)
    assert np.array_equal(
        FUNCTIONS["repeated_tail"](whole, 6.0, rng).value[BEGIN : BEGIN + 24], whole.value[BEGIN - 96 : BEGIN - 72]
    )
    assert (FUNCTIONS["decimal"](whole, 4.0, rng).value != whole.value).sum() == 4
    turned = FUNCTIONS["digits"](whole, 4.0, rng)
    assert (turned.value != whole.value).sum() == turned.touched.sum() == 4
    assert (np.diff(FUNCTIONS["reversed_ct"](stretch(register=True), 1.0, rng).value) < 0).sum() == 96
    assert FUNCTIONS["exchanged"](stretch(register=True), 0.0, rng).value[BEGIN + 1] == 0
