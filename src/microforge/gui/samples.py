"""Sample data of the File menu: simulated fields with their truth."""

from typing import Any

from napari.components import ViewerModel
from napari.layers import Layer

from microforge.simulate import noisy_pair, simulate_cells, simulate_crowd, simulate_nuclei
from microforge.types import Array

LayerData = tuple[Any, dict[str, Any], str]
#: Micrometres per pixel of the simulated microscope, and between planes.
_PIXEL, _PLANE = 0.35, 1.05


def nuclei() -> list[LayerData]:
    """Give a field of nuclei, and the truth as a hidden layer."""
    field = simulate_nuclei((512, 512), seed=1)
    return _layers("nuclei", field.image, field.labels, "YX")


def open_first_sample(viewer: ViewerModel) -> None:
    """Open the image that everything can be tried with, without its truth."""
    data, settings, kind = nuclei()[0]
    viewer.add_layer(Layer.create(data, dict(settings), kind))
    viewer.reset_view()


def nuclei_two_channels() -> list[LayerData]:
    """Give nuclei and the cytoplasm around them as two channels of one image."""
    field = simulate_cells((512, 512), seed=2)
    return _layers("cells", field.image, field.labels, "CYX", channel_names=("nuclei", "cytoplasm"))


def nuclei_stack() -> list[LayerData]:
    """Give a stack of nuclei whose planes are further apart than its pixels."""
    field = simulate_nuclei((24, 192, 192), seed=3, anisotropy=_PLANE / _PIXEL)
    return _layers("nuclei stack", field.image, field.labels, "ZYX")


def noisy_and_clean() -> list[LayerData]:
    """Give one field recorded with little light, and the same with much as a hidden layer."""
    noisy, clean = noisy_pair(4, (384, 384))
    return [
        (noisy, {"name": "noisy", "metadata": {"axes": "YX"}, **_place("YX")}, "image"),
        (clean, {"name": "clean", "visible": False, "metadata": {"axes": "YX"}, **_place("YX")}, "image"),
    ]


def cells_to_count() -> list[LayerData]:
    """Give a field of crowded cells, and a point on each as a hidden layer."""
    field, place = simulate_crowd((256, 256), seed=2), _place("YX")
    points = {"name": "crowd truth", "visible": False, "size": 4, "face_color": "#22d3ee", **place}
    return [
        (field.image, {"name": "crowd", "metadata": {"axes": "YX"}, **place}, "image"),
        (field.points, points, "points"),
    ]


def _layers(name: str, image: Array, labels: Array, axes: str, **metadata: Any) -> list[LayerData]:
    truth = axes.replace("C", "")
    return [
        (image, {"name": name, "metadata": {"axes": axes, **metadata}, **_place(axes)}, "image"),
        (labels, {"name": f"{name} truth", "visible": False, **_place(truth)}, "labels"),
    ]


def _place(axes: str) -> dict[str, Any]:
    sizes = {"Z": _PLANE, "Y": _PIXEL, "X": _PIXEL}
    return {
        "scale": [sizes.get(letter, 1) for letter in axes],
        "units": ["um" if letter in sizes else "pixel" for letter in axes],
        "axis_labels": [letter.lower() for letter in axes],
    }
