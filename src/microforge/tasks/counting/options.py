"""Options of counting, chosen or found in the data."""

from typing import Literal

from pydantic import Field

from microforge.config import choice_field, decoding_field, fitted_field
from microforge.tasks.base import TaskOptions
from microforge.tasks.confidence import Calibration
from microforge.tasks.counting.interval import Interval

#: Spacing taken where there is one point only, in pixels.
_USUAL_SPACING = 15.0


class CountingOptions(TaskOptions):
    """Settings of counting."""

    empty: Literal["left out", "no cells"] = choice_field(
        "left out",
        title="Images without points",
        choices={
            "left out": "forgotten, nothing is learnt from them",
            "no cells": "there are none, which is learnt",
        },
    )
    unclicked: Literal["around", "background"] = choice_field(
        "background",
        title="Point files: no point means",
        choices={
            "around": "no cell, or not clicked yet where much looks like those clicked; for images clicked in part",
            "background": "no cell, as all are clicked",
        },
    )
    confidence: float = decoding_field(
        0.0,
        ge=0,
        le=1,
        title="Confidence",
        description="Points that are less certain are not shown; the count does not change.",
        left_out="less certain than {value:.2f}",
    )
    radius: float | None = Field(
        None,
        gt=0,
        title="Match distance",
        description="A point counts as found within this many pixels; empty = automatic. That is half the typical "
        "distance of points.",
        json_schema_extra={"empty": "automatic"},
    )
    kinds: tuple[str, ...] = fitted_field((), title="Kinds", description="Names of the kinds of cells.")
    spacing: float = fitted_field(
        _USUAL_SPACING,
        gt=0,
        title="Spacing",
        description="Typical distance of a point to the next, in pixels.",
    )
    anisotropy: tuple[float, ...] = fitted_field(
        (),
        title="Anisotropy",
        description="Distance of planes, rows and columns in units of the last.",
        formerly="steps",
    )
    channels: int = fitted_field(1, ge=1, title="Channels", description="Channels of the images.")
    area_per_point: float = fitted_field(
        0.0,
        ge=0,
        title="Area per point",
        description="Pixels per point.",
        formerly="room",
    )
    gains: tuple[float, ...] = fitted_field(
        (),
        title="Gains",
        description="What the density of each kind is multiplied by: then counts of images trained on are right.",
    )
    intervals: dict[str, Interval] = fitted_field(
        default_factory=dict,
        title="Intervals",
        description="How far counts may be off, by kind; measured on images kept aside.",
    )
    calibration: Calibration | None = fitted_field(
        None,
        title="Calibration",
        description="How confident the model may be of a cell; measured on cells kept aside.",
    )
