"""Read from a table (CSV) which images train or measure, and which belong together."""

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
    path, wanted = _table_and_name(split, "split.csv:val")
    rows = _rows(path, "split")
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


def read_groups(groups: str, stems: Iterable[str]) -> dict[str, str]:
    """Give what images belong to, such as a slide or a well, by a column of a table.

    Parameters
    ----------
    groups
        ``table.csv:slide``: the table has a column `name` as `read_split` takes it, and the column named here.
    stems
        The images there are; others in the table are left out.

    Returns
    -------
    dict
        Group by stem; images that the table does not name, or gives no group, are not in it.

    Raises
    ------
    SettingsError
        If `groups` is not of this form.
    PairingError
        If the table is missing or lacks a column, names none of the images, or gives one of them two groups.
    """
    path, column = _table_and_name(groups, "images.csv:slide")
    known, found = {stem.lower(): stem for stem in stems}, dict[str, str]()
    for name, own in _rows(path, column):
        for stem in _possible_stems(name) & known.keys() if own else ():
            if found.setdefault(known[stem], own) != own:
                raise PairingError(
                    f"It gives {known[stem]} two groups: '{found[known[stem]]}' and '{own}'.",
                    where=str(path),
                    remedy="Remove one of the two lines.",
                )
    if not found:
        raise PairingError(
            f"It gives none of the images a group in its column '{column}'.",
            where=str(path),
            remedy=f"The images are {_listed(known.values())}.",
        )
    return found


def _table_and_name(given: str, example: str) -> tuple[Path, str]:
    path, colon, wanted = given.rpartition(":")
    # A lone Windows path has a colon too, after its drive letter.
    if not path or not wanted or not colon or "\\" in wanted or "/" in wanted:
        raise SettingsError(
            f"'{given}' is not a table and a name in it.", remedy=f"Write it as {example}, the table first."
        )
    return Path(path), wanted.strip()


def _rows(path: Path, column: str) -> list[tuple[str, str]]:
    """Give the name in each row, and what stands in a column."""
    table = read_table(path, PairingError)
    columns = []
    for needed in ("name", column):
        number = table.find([needed])
        if number is None:
            raise PairingError(
                f"The table has no column '{needed}'.",
                where=str(path),
                remedy=f"Its columns are {_listed(table.columns)}.",
            )
        columns.append(table.texts(number))
    return list(zip(*columns, strict=True))


def _possible_stems(name: str) -> set[str]:
    path = Path(name.replace("\\", "/"))
    return {path.name.lower(), image_stem(path).lower()} if is_image_name(path) else {path.name.lower()}


def _listed(names: Iterable[str]) -> str:
    names = sorted(set(names))
    return ", ".join(names[:5]) + (" ..." if len(names) > 5 else "")
