"""Values of a folder run: a file to do, what its result depends on, how it went."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from microforge.answers import OBJECTS, AnswerKind
from microforge.answers.base import COUNTS_TABLE, ImageType, Statistics
from microforge.answers.region_counts import CountFunction
from microforge.errors import WriteError
from microforge.events import ImageFailed, ImageFinished, ImageSkipped
from microforge.inference.folder.entries import Entry
from microforge.inference.folder.parts.part import FolderPart
from microforge.inference.results_version import RESULTS_VERSION
from microforge.inference.stamps import Stamp
from microforge.io.tables import TableRows
from microforge.types import Image, Sample


@dataclass(frozen=True)
class Job:
    """One input file and the name of its result; `entry` is what the ledger says of it, `note` what to tell.

    `absent` are the names of its files that were not there when the run began.
    """

    index: int
    path: Path
    name: str
    note: str = ""
    entry: Entry | None = None
    absent: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Origin:
    """What a result depends on besides its input, and where it goes."""

    output: Path
    model: str
    model_hash: str
    settings_hash: str
    axes: str | None = None
    overwrite: bool = False
    #: What the results are.
    answer: AnswerKind = OBJECTS
    #: How the results are counted, and where: a file or a folder of regions.
    count: CountFunction | None = None
    regions: Path | None = None
    #: The type of the pixels of images.
    image_type: ImageType = "float32"
    results_version: str = RESULTS_VERSION
    #: The part of a run on several machines that is done here; `output` is its folder.
    part: FolderPart | None = None

    @property
    def tables(self) -> tuple[str, ...]:
        """The tables that are written even where no image has rows."""
        return self.answer.tables if self.regions is None else (*self.answer.tables, COUNTS_TABLE)

    def files(self, name: str) -> list[Path]:
        """Give the files written for an image, by the name of its result."""
        return [self.output / f"{name}{suffix}" for suffix in self.answer.suffixes]


@dataclass(frozen=True, eq=False)
class Ready:
    """An image that was read and can go to the network."""

    job: Job
    image: Image
    samples: tuple[Sample, ...]
    input_stamp: Stamp
    seconds: float = 0.0

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of one sample, ``C(Z)YX``."""
        return self.samples[0].image.shape

    @property
    def pixels(self) -> int:
        """Pixels of all time points together."""
        return len(self.samples) * int(np.prod(self.shape[1:]))


@dataclass(frozen=True, eq=False)
class Outcome:
    """How an image went: the event to tell, and what to note in the ledger (None: it says so already)."""

    event: ImageFinished | ImageSkipped | ImageFailed
    entry: Entry | None = None
    #: The rows of the tables, by the name of the table; None leaves those of an earlier run.
    tables: Mapping[str, TableRows] | None = None
    #: What was measured on the whole image, by name; None leaves that of an earlier run.
    statistics: Statistics | None = field(default_factory=dict)
    #: The folder itself may be the trouble, not the image.
    write_error: WriteError | None = None
