"""The keys of the viewer that go from image to image."""

from collections.abc import Callable
from functools import partial
from typing import Any

from napari.components import ViewerModel

from microforge.gui.layers.gestures import IMAGE_BEFORE, NEXT_IMAGE, NEXT_TO_ANNOTATE
from microforge.gui.strip.panel import Strip


def bind_image_keys(viewer: ViewerModel, strip: Strip) -> None:
    """Give the keys to a viewer."""
    switching = strip.switching
    for use, act in (
        (NEXT_IMAGE, partial(switching.step, 1)),
        (IMAGE_BEFORE, partial(switching.step, -1)),
        (NEXT_TO_ANNOTATE, strip.next_to_annotate),
    ):
        viewer.bind_key(use.key, _called(act), overwrite=True)


def unbind_image_keys(viewer: ViewerModel) -> None:
    """Take the keys away again."""
    for use in (NEXT_IMAGE, IMAGE_BEFORE, NEXT_TO_ANNOTATE):
        viewer.bind_key(use.key, None, overwrite=True)


def _called(act: Callable[[], Any]) -> Callable[[ViewerModel], None]:
    def pressed(_: ViewerModel) -> None:
        act()

    return pressed
