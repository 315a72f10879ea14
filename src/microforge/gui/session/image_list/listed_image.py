"""`ListedImage`: an image at hand, whether its file is open or not; what is remembered of it while it is not."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from napari.layers import Image, Layer

#: What an image is for, as a person wants it; empty = it is drawn whether it is learnt from.
WantedRole = Literal["", "training", "validation", "test"]


@dataclass(frozen=True)
class ImageLook:
    """How an image was looked at: the camera, the place on the sliders, and how it was shown."""

    camera: Mapping[str, Any]
    place: tuple[int, ...]
    shown: Mapping[str, Any] = field(default_factory=dict)


@dataclass(eq=False)
class ListedImage:
    """An image at hand.

    Attributes
    ----------
    name
        No two of a list have the same.
    path
        Its file; None where it is only a layer.
    layer
        Its layer, in the viewer or put away; None where it is not loaded.
    at_rest
        The layers that were put away, bottom one first; empty where it is in the viewer, or not loaded.
    added
        Whether a person added its file: then it stays in the list when its layer is removed.
    role
        What it is for, as long as nothing is annotated on it; then its annotation knows.
    reviewed
        Whether a person says that it is done.
    look, visible
        How it and its layers were looked at when it was left.
    is_packed
        Whether the layers put away take little memory by now.
    problem
        Why it could not be opened; empty where nothing is known to be wrong.
    """

    name: str
    path: Path | None = None
    layer: Image | None = None
    at_rest: tuple[Layer, ...] = ()
    added: bool = False
    role: WantedRole = ""
    reviewed: bool = False
    problem: str = ""
    look: ImageLook | None = None
    visible: Mapping[Layer, bool] = field(default_factory=dict)
    is_packed: bool = False

    @property
    def is_open(self) -> bool:
        """Whether it is in the viewer."""
        return self.layer is not None and not self.at_rest
