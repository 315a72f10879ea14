"""Tables as CSV: what programs read back, what numbers look like, and that half a table never appears."""

import csv
from pathlib import Path

import numpy as np
import pytest

from microforge.errors import WriteError
from microforge.io.tables import PackedLines, csv_line, joined_tables, open_table, rows_of, text_rows, write_table


def test_tables_come_back(tmp_path: Path) -> None:
    columns = {
        "label": np.arange(1, 4), "area": np.array([0.1, 1e-9, np.nan], np.float32),
        "mean": np.array([1 / 3, 1e30, -2.5]), "name": np.array(["a,b", "µ", "c"]),
    }  # fmt: skip
    write_table(tmp_path / "a.csv", columns)
    text = (tmp_path / "a.csv").read_text(encoding="utf-8")
    assert text.splitlines()[0] == "label,area,mean,name"
    rows = list(csv.DictReader(text.splitlines()))
    assert [int(row["label"]) for row in rows] == [1, 2, 3]
    assert [row["area"] for row in rows] == ["0.1", "1e-09", "nan"]
    assert [float(row["mean"]) for row in rows] == [1 / 3, 1e30, -2.5]
    assert [row["name"] for row in rows] == ["a,b", "µ", "c"]


def test_a_table_without_rows_keeps_its_head(tmp_path: Path) -> None:
    write_table(tmp_path / "a.csv", {"label": np.zeros(0, int), "area": np.zeros(0)})
    assert (tmp_path / "a.csv").read_text() == "label,area\n"


def test_columns_that_differ_in_length_write_nothing(tmp_path: Path) -> None:
    with pytest.raises(WriteError, match="label 2, area 3"):
        write_table(tmp_path / "a.csv", {"label": np.zeros(2), "area": np.zeros(3)})
    assert not list(tmp_path.iterdir())


def test_an_error_on_the_way_keeps_the_older_table(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("older")
    with pytest.raises(TypeError), open_table(tmp_path / "a.csv") as file:
        file.writelines(["newer\n", None])  # type: ignore[list-item]
    assert [(one.name, one.read_text()) for one in tmp_path.iterdir()] == [("a.csv", "older")]


def test_lines_quote_what_needs_it_and_leave_none_empty() -> None:
    assert csv_line(["a,b", 'say "x"', None, 1.5, True, "µ"]) == '"a,b","say ""x""",,1.5,True,µ'
    assert text_rows(("a", "b"), [(1, None), ("x", 0.1)]).lines == ("1,", "x,0.1")


def test_measurements_become_short_lines() -> None:
    tables = [
        {"label": np.array([1, 2]), "area": np.array([1 / 3, np.nan], np.float32), "class": np.array(["a,b", "c"])},
        {"label": np.array([7]), "area": np.array([1e9]), "class": np.array([None])},
    ]
    rows = rows_of(tables, frames=True)
    assert rows.columns == ("label", "frame", "area", "class")
    assert rows.lines == ('1,0,0.3333333,"a,b"', "2,0,nan,c", "7,1,1e+09,")
    assert rows_of(tables[:1]).lines[1] == "2,nan,c"
    assert rows_of([]).columns == ()


def test_tables_of_images_are_joined_and_missing_columns_stay_empty() -> None:
    joined = joined_tables(
        [("a", {"label": np.array([1, 2])}), ("b", {"label": np.array([7]), "area": np.array([9.0])})]
    )
    assert list(joined) == ["image", "label", "area"]
    assert joined["image"].tolist() == ["a", "a", "b"]
    assert joined["label"].tolist() == [1, 2, 7]
    np.testing.assert_array_equal(joined["area"], [np.nan, np.nan, 9])


def test_packed_lines_give_back_all_lines_whatever_blocks_they_came_in() -> None:
    lines = [f'{k},"Größe, {k}"' * 40 for k in range(5000)]
    packed = PackedLines()
    for start in range(0, 5000, 700):
        packed.add(lines[start : start + 700])
    assert list(packed) == lines
    assert len(packed) == 5000
    again = PackedLines(packed.packed())
    assert again == lines
    assert lines[4321] in again
    assert PackedLines() == ()
