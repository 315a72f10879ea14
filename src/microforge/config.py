"""Settings, as frozen pydantic models: they make the forms, the tooltips and the command line's help.

None means "chosen from the data and the device"; what was chosen is shown when a run starts and kept in the model.
"""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, PlainSerializer, model_validator
from pydantic.fields import FieldInfo

from microforge.errors import readable


def _known_device(name: str) -> str:
    if not re.fullmatch(r"auto|cpu|mps|cuda(:\d{1,3})?", name):
        raise ValueError(f"'{name}' is no device: choose auto, cpu, cuda, cuda:1 (the second GPU) or mps")
    return name


def _usable_pattern(text: str) -> str:
    try:
        re.compile(text)
    except (re.error, RecursionError, OverflowError) as error:
        example = "for names like A01_field3: ^([A-Z][0-9]+)"
        raise ValueError(f"'{text}' is no regular expression ({error}); {example}") from error
    return text


#: A regular expression.
Pattern = Annotated[str, AfterValidator(_usable_pattern)]

#: auto, cpu, mps, cuda (the first GPU), or cuda and the number of a GPU from 0: cuda:1.
DeviceName = Annotated[str, AfterValidator(_known_device)]
NormalisationMode = Literal["image", "dataset", "none"]


#: A file that a setting names; JSON takes no name that is not UTF-8.
PathSetting = Annotated[
    Path | None, PlainSerializer(lambda path: readable(str(path)), return_type=str, when_used="json-unless-none")
]


class Settings(BaseModel):
    """Base of all settings: immutable, and an unknown name is an error rather than ignored."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    @model_validator(mode="before")
    @classmethod
    def _take_former_names(cls, values: Any) -> Any:
        """Read what older versions wrote: a field says by `json_schema_extra` what it was called `formerly`."""
        if not isinstance(values, Mapping):
            return values
        formerly = {field_hints(field).get("formerly"): name for name, field in cls.model_fields.items()}
        return {formerly.get(name, name): value for name, value in values.items()}


def is_fitted(field: FieldInfo) -> bool:
    """Tell whether a setting is found in the data rather than chosen: marked so by `json_schema_extra`."""
    return bool(field_hints(field).get("fitted"))


def is_decoding(field: FieldInfo) -> bool:
    """Tell whether a setting of a task only decides how a network's answer is read: it may change after training."""
    return bool(field_hints(field).get("decoding"))


def field_hints(field: FieldInfo) -> Mapping[str, Any]:
    """Give what a field says by `json_schema_extra`.

    `fitted`, `decoding` and `formerly` as above, `left_out` as of `decoding_field`; for forms `choices`, what each
    choice means, `empty`, what None stands for, and `device`: one of the devices that are there.
    """
    return field.json_schema_extra if isinstance(field.json_schema_extra, dict) else {}


def choice_field(default: str, *, title: str, choices: Mapping[str, str], description: str = "") -> Any:
    """Give a field of a few words whose meanings end its description, and which forms show one by one."""
    told = "; ".join(f"{choice}: {meaning}" for choice, meaning in choices.items())
    description = f"{description} {told}.".lstrip()
    return Field(default, title=title, description=description, json_schema_extra={"choices": dict(choices)})


def device_field() -> Any:
    """Give the field of a device; which there are to choose from is not known here."""
    return Field(
        "auto",
        title="Device",
        description="Where to compute; auto takes the GPU with most free memory, if one works; cuda:1 the second GPU.",
        json_schema_extra={"device": True},
    )


def fitted_field(*default: Any, formerly: str = "", **details: Any) -> Any:
    """Give a field that is found in the data, see `is_fitted`; arguments as of pydantic's `Field`."""
    hints: dict[str, Any] = {"fitted": True} | ({"formerly": formerly} if formerly else {})
    return Field(*default, json_schema_extra=hints, **details)


def decoding_field(*default: Any, left_out: str = "", **details: Any) -> Any:
    """Give a field that decides how a network's answer is read, see `is_decoding`.

    Parameters
    ----------
    left_out
        What is left out for this setting, in words around its ``{value}``; `Prediction.left_out` says how many.
    """
    return Field(*default, json_schema_extra={"decoding": True, "left_out": left_out}, **details)


class AugmentationConfig(Settings):
    """How patches are varied during training."""

    flip: bool = Field(
        True,
        title="Flip",
        description="Mirror patches at random. Switch off where handedness matters: nothing is mirrored then.",
    )
    rotate: bool = Field(True, title="Rotate", description="Turn patches by any angle in the YX plane.")
    interpolate: bool = Field(
        True,
        title="Interpolate",
        description="Also turn by odd angles and scale, which interpolates pixels; off: right angles only.",
    )
    scale: float = Field(1.33, ge=1, le=3, title="Scale", description="Enlarge or shrink patches by up to this factor.")
    elastic: float = Field(
        0.0,
        ge=0,
        le=20,
        title="Elastic",
        description="Random smooth deformation, amplitude in pixels (0 = none).",
    )
    intensity: float = Field(
        0.4,
        ge=0,
        le=2,
        title="Intensity",
        description="Vary brightness, contrast and noise; 0 = never, 1 = strongly.",
    )


class TrainingConfig(Settings):
    """Everything that decides a training run besides the images."""

    task: str = Field("instances", title="Task", description="What to learn; `microforge tasks` lists them.")
    task_options: dict[str, Any] = Field(
        default_factory=dict, title="Task options", description="Settings of the task, by name."
    )
    time: float | None = Field(
        None,
        gt=0,
        title="Time",
        description="Stop after this many seconds of training; empty = until stopped.",
        json_schema_extra={"empty": "until stopped"},
    )
    steps: int | None = Field(
        None,
        gt=0,
        title="Steps",
        description="Stop after this many training steps; empty = until stopped.",
        json_schema_extra={"empty": "until stopped"},
    )
    device: DeviceName = device_field()
    seed: int = Field(
        0,
        ge=0,
        title="Seed",
        description="Same seed, steps, data and machine: same training on a processor; nearly the same on a GPU.",
    )
    patch_size: int | None = Field(
        None, ge=16, le=2048, title="Patch size", description="Side of the training patches in pixels (YX)."
    )
    patch_depth: int | None = Field(
        None, ge=1, le=512, title="Patch depth", description="Planes per training patch, for stacks."
    )
    batch_size: int | None = Field(None, ge=1, le=512, title="Batch size", description="Patches per training step.")
    width: int | None = Field(
        None,
        ge=4,
        le=256,
        title="Width",
        description="Features at the network's finest level; more = slower, abler.",
    )
    depth: int | None = Field(
        None, ge=1, le=6, title="Depth", description="Number of times the network halves the resolution."
    )
    normalisation: NormalisationMode = choice_field(
        "image",
        title="Normalisation",
        choices={
            "image": "each image by its own percentiles, taken over the whole image",
            "dataset": "all by those of the training images (for quantitative intensities)",
            "none": "as recorded",
        },
    )
    learning_rate: float | None = Field(
        None, gt=0, lt=1, title="Learning rate", description="Relative size of a step; rarely needs changing."
    )
    augmentation: AugmentationConfig = Field(
        default_factory=lambda: AugmentationConfig(),
        title="Augmentation",
        description="How patches are varied.",
    )
    object_sampling: float = Field(
        0.8,
        ge=0,
        le=1,
        title="Object sampling",
        description="0: every image is seen equally often; 1: images are seen as often as they have objects.",
    )
    validation_fraction: float = Field(
        0.1,
        ge=0,
        le=0.5,
        title="Validation",
        description="Part of the images kept aside to measure quality: never the one with most objects, nor more than "
        "half of what is annotated of a class, and none where there are fewer than 40 objects or points.",
    )
    group_by: Pattern | None = Field(
        None,
        title="Group by",
        description="Regular expression; images in whose names it finds the same, such as well or slide, are all kept "
        "aside or all learnt from. Its first bracket counts, if it has one: ^(slide\\d+); empty = time points only.",
        json_schema_extra={"empty": "time points only"},
    )
    start_from: PathSetting = Field(
        None, title="Start from", description="A model file whose weights are the starting point."
    )


#: By how much a level is coarser than the one above, along one axis.
Fold = Annotated[int, Field(ge=1, le=8)]


class NetworkConfig(Settings):
    """The shape of a U-Net; enough to build it again."""

    dims: Literal[2, 3] = 2
    in_channels: int = Field(1, ge=1, le=4096)
    out_channels: int = Field(1, ge=1, le=4096)
    width: int = Field(32, ge=1, le=1024, description="Features at the finest level; doubled at each level below.")
    max_width: int = Field(256, ge=1, le=4096, description="No level has more features than this.")
    stem: tuple[Fold, ...] = Field((2, 2), description="Folding of pixels into channels at the input, (Z)YX.")
    pools: tuple[tuple[Fold, ...], ...] = Field(
        ((2, 2), (2, 2)), max_length=8, description="Down-sampling between the levels, (Z)YX each; 1 along coarse Z."
    )

    residual: bool = Field(False, description="The network gives what is to be added to its input.")
    upscale: int = Field(1, ge=1, le=4, description="How many times finer the output's YX is.")
    head: Literal["pixels", "image"] = Field(
        "pixels", description="pixels: an answer for each pixel; image: the encoder only, an answer for each place."
    )
    graded: bool = Field(
        True,
        description="Whether answers are finely graded, as intensities are: float32 whatever the rest computes in.",
    )

    @model_validator(mode="after")
    def _check_axes(self) -> "NetworkConfig":
        if any(len(factors) != self.dims for factors in (self.stem, *self.pools)):
            raise ValueError(f"stem and pools need {self.dims} numbers each")
        return self

    @property
    def stride(self) -> tuple[int, ...]:
        """Input pixels per pixel of the deepest level, (Z)YX: tiles start at multiples of it."""
        total = list(self.stem)
        for pool in self.pools:
            total = [a * b for a, b in zip(total, pool, strict=True)]
        return tuple(total)


class PredictionConfig(Settings):
    """How a model is applied; affects speed and memory, and the task's post-processing."""

    device: DeviceName = device_field()
    tile_size: int | None = Field(
        None,
        ge=32,
        title="Tile size",
        description="Side of the tiles in pixels; empty = from the free memory.",
        json_schema_extra={"empty": "from the free memory"},
    )
    flips: bool = Field(
        False,
        title="Average over flips",
        description="Average over copies mirrored and turned as in training: a little better, 4 to 8 times slower.",
    )
    image_type: Literal["float32", "source"] = choice_field(
        "float32",
        title="Number type",
        description="Of images written to files.",
        choices={
            "float32": "nothing is lost",
            "source": "that of the input, rounded, and what does not fit is clipped and counted",
        },
    )
    regions: PathSetting = Field(
        None,
        title="Regions",
        description="Count in these regions too: a file (label image, or ImageJ ROIs) for all images, or a folder with "
        "a file of each image's name.",
    )
    task_options: dict[str, Any] = Field(
        default_factory=dict,
        title="Task options",
        description="Post-processing settings that replace the model's own.",
    )
