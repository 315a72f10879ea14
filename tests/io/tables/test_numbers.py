"""Decimals and thousands are told apart by the whole column, its neighbours and the sign between columns."""

from pathlib import Path

import numpy as np
import pytest

from microforge.errors import AnnotationError
from microforge.io.points import read_points

READ = [
    # Quoted commas in a table of commas group thousands, unless a number shows that they do not.
    ('y,x\n"1,234","2,048"\n"12","1,900"\n', [[1234, 2048], [12, 1900]]),
    ('y,x\n"1,234","2,048"\n"12","1,900.5"\n', [[1234, 2048], [12, 1900.5]]),
    ('y,x\n"1,234.25","12,345,678"\n', [[1234.25, 12345678]]),
    ('y,x\n"12,5","1,5"\n"1,234","2"\n', [[12.5, 1.5], [1.234, 2]]),
    # Points and three decimals, as Fiji writes them, are decimals in tables of commas and tabs.
    ("y,x\n123.456,45.125\n7.500,99.001\n", [[123.456, 45.125], [7.5, 99.001]]),
    ("y\tx\n123.456\t45.125\n", [[123.456, 45.125]]),
    # German tables: points group, commas are decimal signs.
    ("y;x\n1.234;2.048,5\n12;1.900,25\n", [[1234, 2048.5], [12, 1900.25]]),
    ("y;x\n1.234.567;2\n", [[1234567, 2]]),
    ("y;x\n12,125;3,250\n", [[12.125, 3.25]]),
    ("y;x;area\n1.234;2.048;1,5\n", [[1234, 2048]]),
    # A number below one, and one of four digits before the sign, show decimals.
    ("y;x\n0.125;1.234\n", [[0.125, 1.234]]),
    ("y;x\n1234.125;1.234\n", [[1234.125, 1.234]]),
    # Blanks and apostrophes between digits group thousands.
    ("y;x\n1\u00a0234;1'900,5\n", [[1234, 1900.5]]),
]


@pytest.mark.parametrize(("text", "places"), READ)
def test_numbers_mean_what_their_columns_show(tmp_path: Path, text: str, places: list[list[float]]) -> None:
    (tmp_path / "a.csv").write_text(text, encoding="utf-8")
    np.testing.assert_allclose(read_points(tmp_path / "a.csv").coordinates, places, rtol=1e-6)


@pytest.mark.parametrize(
    "text",
    ["y;x\n1.234;2.048\n12;1.900\n", "y;x\n12.125;3.250\n", "y\tx\n1,234\t2,048\n12\t1,900\n"],
    ids=["points beside semicolons", "three decimals beside semicolons", "whole numbers among them"],
)
def test_numbers_that_may_be_two_are_refused_by_line(tmp_path: Path, text: str) -> None:
    (tmp_path / "a.csv").write_text(text, encoding="utf-8")
    with pytest.raises(
        AnnotationError, match=r"Line 2 has '1.?[.,]\d{3}' in the column 'y', which may be \d+ or"
    ) as raised:
        read_points(tmp_path / "a.csv")
    assert "without thousands separators" in raised.value.remedy
