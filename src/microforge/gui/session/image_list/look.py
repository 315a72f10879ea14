"""How an image is looked at, to be looked at alike when one comes back to it."""

from typing import Any

from napari.components import ViewerModel
from napari.layers import Image

from microforge.gui.session.image_list.listed_image import ImageLook

_CAMERA, _SHOWN = ("center", "zoom", "angles"), ("contrast_limits", "gamma", "colormap", "opacity", "blending")


def look_now(viewer: ViewerModel, layer: Image) -> ImageLook:
    """Give how an image is looked at now."""
    camera = _camera(viewer)
    names = [name for name in _SHOWN if not (getattr(layer, "rgb", False) and name == "contrast_limits")]
    return ImageLook(
        {name: getattr(camera, name) for name in _CAMERA},
        tuple(viewer.dims.current_step),
        {name: getattr(layer, name) for name in names},
    )


def look_again(viewer: ViewerModel, look: ImageLook | None) -> None:
    """Look at what is in the viewer as before; all of it where it was never looked at."""
    if look is None:
        viewer.reset_view()
        return
    if len(look.place) == viewer.dims.ndim:
        viewer.dims.current_step = look.place
    for name, value in look.camera.items():
        setattr(_camera(viewer), name, value)


def _camera(viewer: ViewerModel) -> Any:
    # napari 0.9 moved it and warns of the old place.
    return getattr(viewer, "scene", viewer).camera
