"""A building manager's lists as CSV: what a spreadsheet would take for a formula stays text."""

import csv
import io

import pytest

from quintet.web.manager_csv import as_csv


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@x", "\t=1+1", "\r=cmd", "\n=1"])
def test_no_cell_is_a_formula(text: str) -> None:
    out = as_csv([{"note": text, "days": -3}]).decode("utf-8-sig")
    (row,) = csv.DictReader(io.StringIO(out, newline=""))
    assert row == {"note": f"'{text}", "days": "-3"}
