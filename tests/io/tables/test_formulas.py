"""Text in tables that a spreadsheet would run, and signs that would end a line of one."""

import csv
from pathlib import Path

import numpy as np
import pytest

from microforge.io.tables import PackedLines, csv_line, read_table, text_rows, unguarded, write_table

RUN = [
    "=1+1",
    "=cmd|' /C calc'!A0",
    "+1+2",
    "-1+cmd|' /C calc'!A0",
    "-A1",
    "@SUM(1)",
    " =1",
    "\uff1d1",
    '=HYPERLINK("http://x","a,b")',
]
KEPT = [
    "-1.5",
    "+3",
    "-2.5e-07",
    "-nan",
    "-inf",
    ".5",
    "1e9",
    "cell-2",
    "a=b",
    "µm",
    "x@y",
    "t' n",
    "'quoted'",
    "",
    "-.5E3",
]


def cells(line: str) -> list[str]:
    [row] = csv.reader([line])
    return row


@pytest.mark.parametrize("text", RUN)
def test_no_spreadsheet_runs_a_text_and_it_is_read_back_as_it_was(tmp_path: Path, text: str) -> None:
    assert cells(csv_line([1, text])) == ["1", f"'{text}"]
    write_table(tmp_path / "a.csv", {text: np.array(["a", text]), "n": np.array([-1, -2.5])})
    table = read_table(tmp_path / "a.csv")
    assert table.columns == (text, "n")
    assert table.texts(0) == ["a", text]
    assert table.numbers(1) == [-1, -2.5]


@pytest.mark.parametrize("text", KEPT)
def test_numbers_and_words_are_written_as_they_are(text: str) -> None:
    assert cells(csv_line(["name", text])) == ["name", text]
    assert csv_line([0, -1.5, None, text or None]).startswith("0,-1.5,,")


@pytest.mark.parametrize("text", [*RUN, *KEPT, "'=1", "''=1", "'-5", "'"])
def test_reading_undoes_exactly_what_writing_did(text: str) -> None:
    assert unguarded(cells(csv_line([text, ""]))[0]) == text


def test_no_text_starts_a_second_line_or_steers_a_terminal() -> None:
    line = csv_line([1, "two\nlines\r", "\x1b[31mred", "\u202eback", "x_\udcff"])
    assert line == r"1,two\nlines\r,\x1b[31mred,\u202eback,x_\xff"
    rows = PackedLines()
    rows.add(text_rows(("kind",), [("two\nlines",)]).lines)
    assert len(rows) == 1


def test_a_long_line_of_numbers_before_a_formula_costs_no_more_than_its_length() -> None:
    line = csv_line([*["12.5"] * 5000, "=1"])
    assert line.endswith(",'=1")
