"""What a table says images belong to."""

from pathlib import Path

import pytest

from microforge.errors import MicroforgeError, PairingError, SettingsError
from microforge.io.pairing import Pair, Pairing, read_groups


def table(place: Path, text: str) -> Path:
    path = place / "images.csv"
    path.write_text(text, encoding="utf-8")
    return path


@pytest.mark.parametrize("line_break", ["\n", "\r\n"])
@pytest.mark.parametrize("between", [",", ";", "\t"])
def test_groups_come_from_the_column_named(tmp_path: Path, between: str, line_break: str) -> None:
    rows = ["name,Slide,well", "a.tif,S1,x", "b,S1,y", "plates/c.png,S2,x", "d,,x", "other,S3,z"]
    path = table(tmp_path, line_break.join(rows).replace(",", between))
    assert read_groups(f"{path}:slide", ["a", "B", "c", "d", "e"]) == {"a": "S1", "B": "S1", "c": "S2"}


@pytest.mark.parametrize(
    ("text", "column", "error", "words"),
    [
        ("name,slide\na,S1\n", "well", PairingError, "no column 'well'.*name, slide"),
        ("file,slide\na,S1\n", "slide", PairingError, "no column 'name'"),
        ("name,slide\nz,S1\na,\n", "slide", PairingError, "none of the images a group.*The images are a, b"),
        ("name,slide\na,S1\na.tif,S2\n", "slide", PairingError, "gives a two groups: 'S1' and 'S2'"),
        ("name,slide\na,S1\n", "", SettingsError, "not a table and a name.*images.csv:slide"),
    ],
)
def test_a_table_that_gives_no_groups_is_refused_in_words(
    tmp_path: Path, text: str, column: str, error: type[MicroforgeError], words: str
) -> None:
    with pytest.raises(error, match=f"(?s){words}"):
        read_groups(f"{table(tmp_path, text)}:{column}", ["a", "b"])


def test_a_pairing_takes_groups_by_the_names_of_images() -> None:
    pairing = Pairing((Pair(Path("one/a.tif")), Pair(Path("b.ome.tif")))).grouped({"a": "S1"})
    assert [pair.group for pair in pairing.pairs] == ["S1", ""]
