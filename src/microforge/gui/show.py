"""Open a napari window with images and predictions, for `microforge` commands that end in a window."""

from collections.abc import Sequence
from typing import Any

import napari
from napari.components import ViewerModel

from microforge.axes.letters import spatial_axes
from microforge.types import Image, Prediction


def show_result(images: Sequence[Image], predictions: Sequence[Prediction]) -> None:
    """Show images and results as layers, the dock beside them, until the window is closed."""
    viewer = napari.Viewer(title="Microforge")
    add_found(viewer, images, predictions)
    viewer.window.add_plugin_dock_widget("napari-microforge", "Microforge")
    napari.run()


def add_found(viewer: ViewerModel, images: Sequence[Image], predictions: Sequence[Prediction]) -> None:
    """Add images and their results to a viewer, side by side where there are several."""
    for image, prediction in zip(images, predictions, strict=True):
        rgb = image.axes.endswith("S")
        viewer.add_image(
            image.data, name=image.name, rgb=rgb, metadata={"axes": image.axes}, **_scale(image, image.axes)
        )
        axes = "".join(letter for letter in image.axes if letter not in "CS")
        if prediction.labels is not None:
            viewer.add_labels(prediction.labels, name=f"{image.name} result", opacity=0.5, **_scale(image, axes))
    grid = viewer.canvas.grid if hasattr(viewer, "canvas") else viewer.grid  # moved in napari 0.9
    grid.enabled = len(images) > 1
    grid.stride = 2 if any(prediction.labels is not None for prediction in predictions) else 1


def _scale(image: Image, axes: str) -> dict[str, Any]:
    if image.pixel_size is None:
        return {}
    sizes = dict(zip(spatial_axes(image.axes), image.pixel_size, strict=True))
    letters = axes.removesuffix("S")
    return {
        "scale": [sizes.get(letter, 1) for letter in letters],
        "units": ["um" if letter in sizes else "pixel" for letter in letters],
    }
