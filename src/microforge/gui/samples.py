"""File > Open Sample > Microforge: simulated fields with their truth, to try everything on."""

from typing import Any

from microforge.simulate import simulate_cells, simulate_nuclei
from microforge.types import Array

LayerData = tuple[Any, dict[str, Any], str]
#: Micrometres per pixel of the simulated microscope, and between planes.
_PIXEL, _PLANE = 0.35, 1.05


def nuclei() -> list[LayerData]:
    """Give a field of nuclei, and the truth as a hidden layer."""
    field = simulate_nuclei((512, 512), seed=1)
    return _layers("nuclei", field.image, field.labels, "YX")


def nuclei_two_channels() -> list[LayerData]:
    """Give nuclei and the cytoplasm around them as two channels of one image."""
    field = simulate_cells((512, 512), seed=2)
    return _layers("cells", field.image, field.labels, "CYX", channel_names=("nuclei", "cytoplasm"))


def nuclei_stack() -> list[LayerData]:
    """Give a stack of nuclei whose planes are further apart than its pixels."""
    field = simulate_nuclei((24, 192, 192), seed=3, anisotropy=_PLANE / _PIXEL)
    return _layers("nuclei stack", field.image, field.labels, "ZYX")


def _layers(name: str, image: Array, labels: Array, axes: str, **metadata: Any) -> list[LayerData]:
    sizes = {"Z": _PLANE, "Y": _PIXEL, "X": _PIXEL}
    truth = axes.replace("C", "")

    def place(letters: str) -> dict[str, Any]:
        return {
            "scale": [sizes.get(letter, 1) for letter in letters],
            "units": ["um" if letter in sizes else "pixel" for letter in letters],
            "axis_labels": [letter.lower() for letter in letters],
        }

    return [
        (image, {"name": name, "metadata": {"axes": axes, **metadata}, **place(axes)}, "image"),
        (labels, {"name": f"{name} truth", "visible": False, **place(truth)}, "labels"),
    ]
