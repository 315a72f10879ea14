"""What is known of an image's dimensions, in words: their meaning and the size of pixels; for windows and messages."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from microforge.axes.letters import spatial_axes
from microforge.errors import AxesError
from microforge.types import PixelSize

#: What people call the letters; several of a kind, as there are several wherever it matters.
WORDS = {"T": "time points", "C": "channels", "Z": "planes", "Y": "rows", "X": "columns"}
#: Micrometres of what people write behind a length.
_UNITS = {"nm": 1e-3, "µm": 1.0, "μm": 1.0, "um": 1.0, "mm": 1e3}
#: No microscope has larger or smaller pixels, in micrometres: who types such a number means another unit.
_SMALLEST, _LARGEST = 1e-5, 1e5


@dataclass(frozen=True)
class Dimensions:
    """The dimensions of an image that mean something.

    Attributes
    ----------
    shape
        Their lengths.
    axes
        One letter of ``T C Z Y X S`` for each.
    known
        False where the letters are only likely.
    sizes
        Micrometres per pixel along those of Z, Y and X where that is known.
    """

    shape: tuple[int, ...]
    axes: str
    known: bool = True
    sizes: Mapping[str, float] = field(default_factory=dict)

    @property
    def pixel_size(self) -> PixelSize | None:
        """Micrometres along ``(Z)YX``; None where one of them is unknown."""
        return complete_size(self.sizes, self.axes)

    def in_words(self) -> str:
        """Say what there is: ``12 time points of 51 planes of 120 × 122 pixels; pixel size unknown``."""
        length = dict(zip(self.axes, self.shape, strict=True))
        many = [f"{length[letter]:,} {WORDS[letter]}" for letter in "TCZ" if letter in length]
        plane = f"{length.get('Y', 0):,} × {length.get('X', 0):,} pixels{' in colour' if 'S' in length else ''}"
        return f"{' of '.join([*many, plane])}; {self._sizes_in_words()}"

    def _sizes_in_words(self) -> str:
        if not {"Y", "X"} <= set(self.sizes):
            return "pixel size unknown"
        pixel = f"pixel size {length_text([self.sizes['Y'], self.sizes['X']])} µm"
        if "Z" not in self.axes:
            return pixel
        apart = f"planes {length_text([self.sizes['Z']])} µm apart" if "Z" in self.sizes else "plane distance unknown"
        return f"{pixel}, {apart}"


def complete_size(sizes: Mapping[str, float], axes: str) -> PixelSize | None:
    """Give sizes along ``(Z)YX`` as these axes have them; None where one of them is unknown."""
    letters = spatial_axes(axes)
    return tuple(sizes[letter] for letter in letters) if set(letters) <= set(sizes) else None


def length_text(lengths: Sequence[float]) -> str:
    """Write lengths as a person would: one number where all are the same, else ``0.2 × 0.25``."""
    texts = [f"{length:.5g}" for length in lengths]
    return texts[0] if len(set(texts)) == 1 else " × ".join(texts)


def read_lengths(text: str, count: int) -> tuple[float, ...]:
    """Give so many lengths in micrometres of what a person typed; one number stands for all of them.

    A comma is taken for a decimal one; nm, µm and mm may follow, µm is meant without.

    Raises
    ------
    AxesError
        If it is no length above zero that pixels can have.
    """
    parts = text.replace("x", "×").split("×")
    if len(parts) not in (1, count):
        raise AxesError(f"'{text}' has {len(parts)} numbers; one is enough.", remedy="Type for example 0.25.")
    lengths = tuple(_read_length(part.strip()) for part in parts)
    return lengths * count if len(lengths) == 1 else lengths


def _read_length(text: str) -> float:
    unit = next((unit for unit in _UNITS if text.endswith(unit)), "")
    number = text.removesuffix(unit).strip().replace(",", ".")
    try:
        length = float(number) * _UNITS.get(unit, 1.0)
    except ValueError:
        raise AxesError(f"'{text}' is no number.", remedy="Type micrometres, for example 0.25.") from None
    if not _SMALLEST <= length <= _LARGEST:
        raise AxesError(f"No pixel is {text} µm large.", remedy="Type micrometres above zero, for example 0.25.")
    return length
