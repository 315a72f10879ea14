"""Read train/validation splits from a table (CSV)."""

from collections.abc import Iterable
from pathlib import Path

from microforge.errors import PairingError, SettingsError
from microforge.io.files import image_stem, is_image_name
from microforge.io.tables import read_table


def read_split(split: str, stems: Iterable[str]) -> set[str]:
    """Give the stems that a table ``name,split`` puts into one split.

    Parameters
    ----------
    split
        ``table.csv:val``; the table is UTF-8 with commas, semicolons or tabs, names with or without suffix.
    stems
        The images there are; others in the table are left out.

    Raises
    ------
    SettingsError
        If `split` is not of this form.
    PairingError
        If the table is missing or lacks a column, or none of its rows of this split is an image there.
    """
    path, wanted = _split_parts(split)
    rows = _split_rows(path)
    known = {stem.lower(): stem for stem in stems}
    splits = {own for _, own in rows}
    if wanted not in splits:
        raise PairingError(
            f"No row belongs to the split '{wanted}'.", where=str(path), remedy=f"Splits there: {_listed(splits)}."
        )
    named = {name for name, own in rows if own == wanted}
    found = {known[stem] for name in named for stem in _possible_stems(name) if stem in known}
    if not found:
        raise PairingError(
            f"None of the {len(named)} names of the split '{wanted}' is an image here.",
            where=str(path),
            remedy=f"The table names {_listed(named)}; the images are {_listed(known.values())}.",
        )
    return found


def _split_parts(split: str) -> tuple[Path, str]:
    path, colon, wanted = split.rpartition(":")
    # A lone Windows path has a colon too, after its drive letter.
    if not path or not wanted or not colon or "\\" in wanted or "/" in wanted:
        raise SettingsError(
            f"The split '{split}' is not a table and a name.", remedy="Write it as split.csv:val, the table first."
        )
    return Path(path), wanted.strip()


def _split_rows(path: Path) -> list[tuple[str, str]]:
    """Give name and split of each row."""
    table = read_table(path, PairingError)
    columns = []
    for needed in ("name", "split"):
        column = table.find([needed])
        if column is None:
            raise PairingError(
                f"The table has no column '{needed}'.",
                where=str(path),
                remedy=f"Its columns are {_listed(table.columns)}.",
            )
        columns.append(table.texts(column))
    return list(zip(*columns, strict=True))


def _possible_stems(name: str) -> set[str]:
    path = Path(name.replace("\\", "/"))
    return {path.name.lower(), image_stem(path).lower()} if is_image_name(path) else {path.name.lower()}


def _listed(names: Iterable[str]) -> str:
    names = sorted(set(names))
    return ", ".join(names[:5]) + (" ..." if len(names) > 5 else "")
