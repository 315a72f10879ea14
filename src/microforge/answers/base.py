"""The interface of a kind of answer, and of what turns predictions into files and table rows."""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Literal, Self

from microforge.annotations import AnnotationKind
from microforge.answers.region_counts import CountFunction
from microforge.axes.areas import Region
from microforge.config import NetworkConfig
from microforge.io.tables import TableRows
from microforge.types import Image, PixelSize, Prediction, Sample

#: The tables to which images give rows, by name: each is `NAME.csv` in the folder of results.
OBJECTS_TABLE, COUNTS_TABLE, CLASSES_TABLE = "objects", "counts", "classes"
#: What was measured on a whole image, by name: numbers and words.
Statistics = Mapping[str, float | str]
ImageType = Literal["float32", "source"]
#: Said of an image for which a folder of regions holds none.
NO_REGIONS = "It has no regions: only the whole image was counted."


@dataclass(frozen=True, eq=False)
class ResultRules:
    """How the results of an image are made.

    Attributes
    ----------
    count
        Counts what was found; None where nothing is counted.
    regions
        Counted for themselves; None where there ought to be some but none were found for this image.
    image_type
        Of the pixels of images: float32, or as in the input.
    """

    count: CountFunction | None = None
    regions: Sequence[Region] | None = ()
    image_type: ImageType = "float32"


class Result(ABC):
    """What becomes of the time points of one image; a context that leaves no file behind if it ends with an error.

    What is not said here: there is no file, nothing to tell, nothing measured, no rows of tables, nothing counted, and
    the size is that of the image.

    Attributes
    ----------
    source
        The image predicted.
    path
        The first file written; None where there is none.
    """

    def __init__(self, source: Image, path: Path | None = None) -> None:
        self.source, self.path = source, path

    def __enter__(self) -> Self:
        return self

    def __exit__(  # noqa: B027 - many have nothing to complete
        self, kind: type[BaseException] | None, error: BaseException | None, trace: Any
    ) -> None:
        """Complete the files, or let go of them after an error."""

    @abstractmethod
    def add(self, prediction: Prediction) -> None:
        """Take the next time point in."""

    @property
    def shape(self) -> tuple[int, ...]:
        """Of what was made."""
        return shape_of(self.source)

    @property
    def pixel_size(self) -> PixelSize | None:
        """Of what was made, in micrometre."""
        return self.source.pixel_size

    @property
    def notes(self) -> tuple[str, ...]:
        """Give what to tell of the image."""
        return ()

    @property
    def statistics(self) -> Statistics:
        """Give what was measured on the whole image."""
        return {}

    @property
    def tables(self) -> Mapping[str, TableRows]:
        """Give the rows of tables, by the name of the table."""
        return {}

    @property
    def number(self) -> int | None:
        """Give how many were found, in all time points together."""
        return None


class AnswerKind(ABC):
    """A kind of answer: its files and table rows, and how it is compared with the truth.

    Attributes
    ----------
    name
        One word.
    truth
        What it is compared with.
    suffixes
        The ends of the names of the files written for each image; the first is the result that is opened.
    tables
        The tables of a folder that are written also where no image gave rows.
    counted
        What is counted in images, in the plural; empty where nothing is.
    numbered
        Whether the table of images has a column with the number of what was found.
    working_bytes
        How much memory it takes to make the answer from what the network gives, in bytes per pixel of the image, as
        measured on single images of 25 megapixels.
    """

    name: ClassVar[str]
    truth: ClassVar[AnnotationKind]
    suffixes: ClassVar[tuple[str, ...]] = (".tif",)
    tables: ClassVar[tuple[str, ...]] = ()
    counted: ClassVar[str] = ""
    numbered: ClassVar[bool] = False
    working_bytes: ClassVar[int] = 12

    @abstractmethod
    def result(self, path: Path, source: Image, samples: Sequence[Sample], rules: ResultRules) -> Result:
        """Give what takes in the predictions of an image.

        Parameters
        ----------
        path
            Of the first file, with its suffix; without one where there are none.
        samples
            The time points of `source`.
        """

    def compared(self, count: CountFunction | None, prediction: Prediction, sample: Sample) -> dict[str, Any]:
        """Give what was found in an image beside what is true, where that is a number or a word."""
        return {}

    def overall(self, per_image: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
        """Give what can be said of all images together besides metrics, from what `compared` gave."""
        return {}

    def described(self, result: str, network: NetworkConfig, channel_names: Sequence[str]) -> str:
        """Say what a model gives, in a few words; `result` is the task's word for it."""
        return result


def shape_of(image: Image) -> tuple[int, ...]:
    """Give the lengths of time and space, ``(T)(Z)YX``, also those of 1."""
    return tuple(image.data.shape[image.axes.index(axis)] for axis in "TZYX" if axis in image.axes)
