"""Parts of a folder run, one for each machine; come here for which files are a part's, and what it notes of itself.

Part 3 of 20 works in ``parts/03-of-20`` of the output folder, with a ledger of its own: machines share a drive, but no
file. `microforge.inference.folder.parts.merging` brings what they made together.
"""

import json
import re
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from hashlib import blake2b
from pathlib import Path
from typing import Self

from microforge.errors import SettingsError, WriteError
from microforge.io.atomic import atomic_write_text

#: The folder of all parts in an output folder, and the file in which a part says what it is.
PARTS, NOTE = "parts", "part.json"
MOST_PARTS = 100_000


@dataclass(frozen=True)
class FolderPart:
    """One of several parts of a folder run, counted from 1."""

    number: int
    of: int

    @classmethod
    def from_text(cls, text: str) -> Self:
        """Read ``3/20``.

        Raises
        ------
        SettingsError
            If it is no part.
        """
        found = re.fullmatch(r"\s*(\d{1,6})\s*/\s*(\d{1,6})\s*", text)
        number, of = (int(found[1]), int(found[2])) if found else (0, 0)
        if not 1 <= number <= of <= MOST_PARTS:
            raise SettingsError(
                f"'{text}' is no part.", remedy="Write 3/20 for the third of twenty; they are counted from 1."
            )
        return cls(number, of)

    def __str__(self) -> str:
        """Give ``3/20``."""
        return f"{self.number}/{self.of}"

    def folder(self, output: Path) -> Path:
        """Give the folder in which it works."""
        return output / PARTS / f"{self.number:0{len(str(self.of))}d}-of-{self.of}"

    def has(self, index: int) -> bool:
        """Tell whether the file of this index, among all files in their order, is its own."""
        return index % self.of == self.number - 1


@dataclass(frozen=True)
class PartNote:
    """What a part says of itself, so that only parts of the same run are brought together.

    Attributes
    ----------
    files, listed
        How many files all parts have together, and a hash of their names.
    model_hash, settings_hash, results_version
        What the results depend on besides their files.
    tables
        The tables that are written even where no image has rows.
    numbered
        Whether images have a number of objects.
    """

    number: int
    of: int
    files: int
    listed: str
    model: str
    model_hash: str
    settings_hash: str
    results_version: str
    tables: tuple[str, ...] = field(default_factory=tuple)
    numbered: bool = True

    @property
    def run(self) -> tuple[object, ...]:
        """What all parts of a run have in common."""
        return (self.of, self.files, self.listed, self.model_hash, self.settings_hash, self.results_version)

    def write(self, folder: Path) -> None:
        """Keep it in the folder of the part.

        Raises
        ------
        WriteError
            If it cannot be written.
        """
        atomic_write_text(folder / NOTE, json.dumps(asdict(self), indent=1))


def read_note(folder: Path) -> PartNote:
    """Read what a part says of itself.

    Raises
    ------
    WriteError
        If there is nothing that can be read.
    """
    try:
        values = json.loads((folder / NOTE).read_bytes()[:100_000])
        return PartNote(**values | {"tables": tuple(str(name) for name in values["tables"])})
    except (OSError, ValueError, TypeError, KeyError, RecursionError) as error:
        raise WriteError(
            f"The folder of this part does not say what it is ({NOTE} is missing or damaged).",
            where=str(folder),
            kept="Nothing was changed.",
            remedy="Run the part again; what is done in it is left out.",
        ) from error


def hash_of_names(paths: Sequence[Path]) -> str:
    """Give a hash of the names of files; folders may be reached by other paths on other machines."""
    content = blake2b(digest_size=16)
    for path in paths:
        content.update(f"{path.parent.name}/{path.name}\0".encode("utf-8", "surrogateescape"))
    return content.hexdigest()
