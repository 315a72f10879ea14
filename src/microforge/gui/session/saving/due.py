"""What is to be kept of a session: come here when something that was said or chosen does not come back."""

from collections.abc import Hashable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from napari.layers import Layer

from microforge.gui.layers.convert import image_of
from microforge.gui.layers.layer_axes import SAID_SIZES, said_axes
from microforge.gui.session.annotated_image import Annotated
from microforge.gui.session.plugin_settings import model_title
from microforge.gui.session.saving.drawn import Drawn, drawn_on
from microforge.gui.session.state import Session
from microforge.types import Image


@dataclass(frozen=True)
class Said:
    """What was chosen that belongs to no single image.

    Attributes
    ----------
    task, options
        The goal.
    model, model_name
        The model chosen, and what it is called for people.
    class_names
        The classes that images may be given.
    folders
        Of images, and of annotations or targets, that are trained on as well.
    images
        Files in the list of images: path, what each is for, whether a person has reviewed it.
    words
        What there is to learn from, for *Go on with ...*.
    """

    task: str = ""
    options: Mapping[str, Any] = field(default_factory=dict)
    model: Path | None = None
    model_name: str = ""
    class_names: tuple[str, ...] = ()
    folders: tuple[str, ...] = ()
    images: tuple[tuple[str, str, bool], ...] = ()
    words: str = field(default="", compare=False)


@dataclass(frozen=True, eq=False)
class ToKeep:
    """An image as it is to be kept.

    Attributes
    ----------
    layers
        The layers that a person paints or clicks on.
    settings
        What was said of the image: fields of its entry in a project.
    targets
        What it should become, by layer.
    version
        Another whenever anything of it has changed.
    in_front
        Whether it is worked on now.
    """

    image: Layer
    drawn: Drawn
    layers: frozenset[Layer]
    settings: Mapping[str, Any]
    targets: Mapping[Layer, Image] = field(default_factory=dict)
    version: Hashable = None
    in_front: bool = False

    @property
    def says_something(self) -> bool:
        """Whether there is anything to keep: a layer that is still empty is nothing."""
        told = self.settings.get("class_name") or self.settings.get("alone") or self.targets
        return bool(told) or self.drawn.is_anything


def chosen_in(session: Session) -> Said:
    """Give what is chosen in a session."""
    config = session.config
    folders = (session.pairs_images, *session.pairs_targets) if session.pairs_images is not None else ()
    return Said(
        config.task,
        dict(config.task_options),
        session.model_path,
        "" if session.model_path is None else model_title(session.model_path),
        tuple(session.class_names),
        tuple(str(folder) for folder in folders),
        tuple((str(one.path), one.role, one.reviewed) for one in session.image_list.entries if one.added),
    )


def to_keep(session: Session, item: Annotated) -> ToKeep:
    """Give what is to be kept of an image; quick, as no pixel is copied.

    Raises
    ------
    MicroforgeError
        If a layer does not fit the image.
    """
    version, active = version_of(session, item), session.viewer.layers.selection.active
    return ToKeep(
        item.image,
        drawn_on(item),
        frozenset(layer for layer in item.drawn if layer is not item.region),
        settings_of(item),
        {target: image_of(target) for target in item.targets},
        version,
        active is not None and active in (item.image, *item.drawn),
    )


def settings_of(item: Annotated) -> dict[str, Any]:
    """Give what was said of an image, as the fields of its entry in a project."""
    sizes = item.image.metadata.get(SAID_SIZES)
    return {
        "name": item.image.name,
        "role": item.role,
        "use": item.use,
        "unpainted": item.unpainted,
        "class_name": item.class_name,
        "no_cells": item.no_cells,
        "alone": item.alone,
        "window": {"axes": said_axes(item.image) or "", "sizes": dict(sizes) if sizes else {}},
    }


def version_of(session: Session, item: Annotated) -> Hashable:
    """Give what is another whenever anything of an image has changed."""
    layers = (item.image, *item.drawn, *item.targets)
    return tuple((id(layer), session.contents.version(layer)) for layer in layers), str(settings_of(item))
