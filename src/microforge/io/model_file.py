"""Model files: weights and a model card in one ``.safetensors``.

No pickle is read or written: a model from a stranger cannot run code.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from math import inf, isfinite
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from pydantic import Field, ValidationError, field_validator, model_validator

from microforge.config import NetworkConfig, NormalisationMode, Settings
from microforge.errors import ModelFileError
from microforge.io.atomic import atomic_path

if TYPE_CHECKING:
    import torch

FORMAT_VERSION = 2
CARD_KEY = "microforge"
#: Bytes: the names of 100,000 training images take a tenth of it.
_LONGEST_HEADER = 100_000_000


class NormalisationCard(Settings):
    """How intensities were normalised: per image, or all by `low` and `high` (one value per channel)."""

    mode: NormalisationMode = "image"
    low: tuple[float, ...] = ()
    high: tuple[float, ...] = ()
    compressed: bool | None = Field(None, description="What is brighter than twice `high`; None: unless mode is none.")

    @property
    def compresses(self) -> bool:
        """Whether logarithms are taken of what is brighter than twice `high`."""
        return self.mode != "none" if self.compressed is None else self.compressed


class Poses(NamedTuple):
    """In which ways a model may see images: as in a mirror, and turned in the YX plane."""

    mirrored: bool = True
    turned: bool = True


ALL_POSES = Poses()


class TrainingSummary(Settings):
    """What a model was trained on and how long."""

    images: int = 0
    validation_images: int = 0
    annotated_megapixels: float = 0.0
    names: tuple[str, ...] = ()
    validation_names: tuple[str, ...] = ()
    data_hash: str = ""
    dtypes: tuple[str, ...] = ()
    steps: int = 0
    seconds: float = 0.0
    device: str = ""
    settings: dict[str, Any] = Field(default_factory=dict)
    annotated: str = Field("", description="What was annotated on them, in words: 62 objects in 3 images.")


class BaselineCard(Settings):
    """A simple method beside the model, both measured on the images kept aside while it was trained.

    Attributes
    ----------
    kind, name
        What the simple method is, in a word or two and exactly.
    metric, value, higher_is_better
        How good it was, by the metric that decides about the model; None where that was not measured.
    images
        How many images both were measured on.
    symptom
        What the model found in each of them alike, where that says that it has learnt nothing: one object.
    enough_steps
        Steps before which such a model is seldom of use; 0 = any number will do.
    """

    kind: str = ""
    name: str = ""
    metric: str = ""
    value: float | None = None
    higher_is_better: bool = True
    images: int = 0
    symptom: str = ""
    enough_steps: int = 0


class VersusCard(Settings):
    """A model beside the one that its training began with, both scored on the same images kept aside.

    Attributes
    ----------
    text
        Whether it is better, in words.
    metric, mean
        The metric that decides, and its mean difference: this model minus the other.
    better, worse, alike
        On how many images.
    """

    text: str
    metric: str
    mean: float
    better: int
    worse: int
    alike: int


class ModelCard(Settings):
    """Everything needed to use a model and to report it in a paper."""

    format_version: int = FORMAT_VERSION
    name: str = ""
    created: str = ""
    task: str
    task_options: dict[str, Any] = Field(default_factory=dict)
    network: NetworkConfig
    parameters: int = 0
    receptive_field: tuple[int, ...] = ()
    axes: str = "YX"
    channel_names: tuple[str, ...] = ()
    pixel_size: tuple[float, ...] | None = None
    normalisation: NormalisationCard = NormalisationCard()
    training: TrainingSummary = TrainingSummary()
    metrics: dict[str, float] = Field(default_factory=dict)
    baseline: BaselineCard | None = None
    versus: VersusCard | None = None
    versions: dict[str, str] = Field(default_factory=dict)
    how_to_cite: str = "napari-microforge, and the data this model was trained on."

    @property
    def poses(self) -> Poses:
        """How images were mirrored and turned in training; all ways where it is not known."""
        varied = self.training.settings.get("augmentation")
        if not isinstance(varied, Mapping):
            return ALL_POSES
        return Poses(bool(varied.get("flip", True)), bool(varied.get("rotate", True)))

    @model_validator(mode="before")
    @classmethod
    def _compressed_as_before(cls, values: Any) -> Any:
        """Read cards that do not say it: the versions that wrote them compressed bright pixels in every mode."""
        if isinstance(values, Mapping) and isinstance(rule := values.get("normalisation"), Mapping):
            return {**values, "normalisation": {"compressed": True, **rule}}
        return values

    @model_validator(mode="after")
    def _check_lengths(self) -> "ModelCard":
        """Refuse what contradicts itself: it would fail, or mean something else, only when the model is used."""
        dims, rule = self.network.dims, self.normalisation
        if self.axes != "ZYX"[-dims:]:
            raise ValueError(f"axes {self.axes} of a network with {dims} dimensions")
        size = (1.0,) * dims if self.pixel_size is None else self.pixel_size
        if len(size) != dims or not all(0 < length < inf for length in size):
            raise ValueError("the pixel size is no size")
        if rule.mode == "dataset" and not len(rule.low) == len(rule.high) == self.network.in_channels:
            raise ValueError("the ranges of intensities are not one per channel")
        return self

    @field_validator("metrics", mode="before")
    @classmethod
    def _leave_out_unknown(cls, metrics: Any) -> Any:
        """JSON has no infinity: a metric that was none (PSNR of equal images) is written as null."""
        return {k: v for k, v in metrics.items() if v is not None} if isinstance(metrics, Mapping) else metrics


@dataclass(frozen=True, eq=False)
class ModelFile:
    """A model in memory; `path` is None until it is saved."""

    card: ModelCard
    weights: Mapping[str, "torch.Tensor"]
    path: Path | None = None


def save_model(path: Path, weights: Mapping[str, "torch.Tensor"], card: ModelCard) -> None:
    """Write a model file; an older one at `path` is replaced only when the new one is complete.

    Raises
    ------
    WriteError
        If it could not be written; an older file is then untouched.
    """
    from safetensors.torch import save

    tensors = {name: tensor.detach().cpu().contiguous() for name, tensor in weights.items()}
    with atomic_path(Path(path)) as temporary:
        # Written here and not by the library, which makes files that nobody else in the lab can read.
        temporary.write_bytes(save(tensors, metadata={CARD_KEY: card.model_dump_json()}))


def load_model(path: Path | str) -> ModelFile:
    """Read a model file.

    Raises
    ------
    ModelFileError
        If it is missing, damaged, not ours, or newer than this version understands, or if weights, ranges of
        intensities or options are not finite: it would find nothing, or anything, without a word.
    """
    from safetensors import SafetensorError
    from safetensors.torch import load

    card = read_card(path)
    try:
        # Read here and not by the library, which opens no file whose name is not UTF-8.
        weights = load(Path(path).read_bytes())
    except (OSError, SafetensorError) as error:
        raise _damaged(path, str(error)) from error
    for name, tensor in weights.items():
        if not bool(tensor.isfinite().all()):
            raise _not_finite(path, f"weights ({name})")
    return ModelFile(card, weights, Path(path))


def read_card(path: Path | str) -> ModelCard:
    """Read only the card: quick, whatever the size of the model, and without torch.

    Raises
    ------
    ModelFileError
        As `load_model`.
    """
    values = _card_values(Path(path))
    version = values.get("format_version", 0)
    if isinstance(version, int) and version > FORMAT_VERSION:
        raise ModelFileError(
            "This model was made by a newer version.", where=str(path), remedy="Update napari-microforge."
        )
    try:
        card = ModelCard.model_validate(values)
    except (ValueError, ValidationError) as error:
        raise _damaged(path, "its card cannot be read") from error
    for part, used in (("ranges of intensities", card.normalisation.model_dump()), ("options", card.task_options)):
        if not _all_finite(used):
            raise _not_finite(path, part)
    return card


def _card_values(path: Path) -> dict[str, Any]:
    """Read the card as it is written."""
    metadata = _header(path).get("__metadata__")
    text = metadata.get(CARD_KEY) if isinstance(metadata, dict) else None
    if text is None:
        raise ModelFileError("This is not a Microforge model.", where=str(path), remedy="Choose a model it has saved.")
    values = _parsed(path, text) if isinstance(text, str) else None
    if not isinstance(values, dict):
        raise _damaged(path, "its card cannot be read")
    return values


def _parsed(path: Path, text: str | bytes) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise _damaged(path, "it does not start as a model file does") from error


def _header(path: Path) -> dict[str, Any]:
    """Read the JSON header that starts a safetensors file: 8 bytes of length, then the text."""
    try:
        with path.open("rb") as file:
            length = int.from_bytes(file.read(8), "little")
            if not 2 <= length <= min(_LONGEST_HEADER, path.stat().st_size):
                raise _damaged(path, "it does not start as a model file does")
            text = file.read(length)
    except FileNotFoundError as error:
        raise ModelFileError("There is no such model file.", where=str(path), remedy="Check the name.") from error
    except OSError as error:
        raise _damaged(path, error.strerror or str(error)) from error
    header = _parsed(path, text)
    if not isinstance(header, dict):
        raise _damaged(path, "it does not start as a model file does")
    return header


def _all_finite(value: Any) -> bool:
    """Tell whether no number in nested lists and dicts is NaN or infinite."""
    if isinstance(value, Mapping):
        return all(_all_finite(one) for one in value.values())
    if isinstance(value, list | tuple):
        return all(_all_finite(one) for one in value)
    return not isinstance(value, float) or isfinite(value)


def _not_finite(path: Path | str, part: str) -> ModelFileError:
    return ModelFileError(
        f"Numbers in this model's {part} are NaN or infinite: what it would find means nothing.",
        where=str(path),
        remedy="Take an earlier copy of the model, or train again; images with extreme values may be the cause.",
    )


def _damaged(path: Path | str, why: str) -> ModelFileError:
    remedy = "Take the copy in the run's folder (model.safetensors), or train again."
    return ModelFileError(f"The model file cannot be read: {why}.", where=str(path), remedy=remedy)
