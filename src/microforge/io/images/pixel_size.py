"""Pixel size, frame interval and channel names from TIFF metadata (OME, ImageJ, LSM, resolution tags)."""

import math
from collections.abc import Mapping, Sequence
from typing import Any
from xml.etree.ElementTree import Element

from microforge.axes.letters import spatial_axes
from microforge.types import PixelSize

_MICROMETRES = {
    "um": 1.0, "µm": 1.0, "μm": 1.0, "\\u00b5m": 1.0, "micron": 1.0, "microns": 1.0, "micrometer": 1.0,
    "micrometers": 1.0, "micrometre": 1.0, "micrometres": 1.0, "nm": 1e-3, "nanometer": 1e-3, "nanometre": 1e-3,
    "pm": 1e-6, "å": 1e-4, "angstrom": 1e-4, "mm": 1e3, "millimeter": 1e3, "millimetre": 1e3, "cm": 1e4, "m": 1e6,
    "inch": 25400.0, "inches": 25400.0, "in": 25400.0,
}  # fmt: skip
_SECONDS = {
    "": 1.0,
    "s": 1.0,
    "sec": 1.0,
    "second": 1.0,
    "seconds": 1.0,
    "ms": 1e-3,
    "msec": 1e-3,
    "min": 60.0,
    "h": 3600.0,
}
_TAG_UNITS = {2: 25400.0, 3: 1e4}
#: Resolution tags also hold print resolutions (72, 300 per inch = 353, 85 µm): only these sizes are a microscope's.
_PLAUSIBLE = (1e-3, 20.0)

Sizes = Mapping[str, float]


def pixel_size_of(sizes: Sizes, axes: str) -> PixelSize | None:
    """Give ``(Z)YX`` for an image with these axes, or None where one of them is unknown."""
    wanted = [sizes.get(letter, 0.0) for letter in spatial_axes(axes)]
    return tuple(wanted) if all(math.isfinite(size) and size > 0 for size in wanted) else None


def ome_sizes(description: Element, image: int = 0) -> dict[str, float]:
    """Give the physical pixel sizes of an OME-XML description, by axis, and the time interval as T."""
    pixels = _ome_pixels(description, image)
    if pixels is None:
        return {}
    found = {}
    for letter in "ZYX":
        unit = pixels.get(f"PhysicalSize{letter}Unit", "µm")
        size = _number(pixels.get(f"PhysicalSize{letter}"))
        found[letter] = size * _micrometres(unit)
    found["T"] = _seconds(pixels.get("TimeIncrement"), pixels.get("TimeIncrementUnit"))
    return {letter: size for letter, size in found.items() if size > 0}


def ome_channels(description: Element, image: int = 0) -> tuple[str, ...]:
    """Give the channel names of an OME-XML description; empty unless all channels have one."""
    pixels = _ome_pixels(description, image)
    if pixels is None:
        return ()
    names = tuple(channel.get("Name", "") for channel in pixels if channel.tag.endswith("}Channel"))
    return names if all(names) else ()


def imagej_sizes(metadata: Mapping[str, Any], resolution: Sequence[float]) -> dict[str, float]:
    """Give the pixel sizes of an ImageJ file and its time interval as T; `resolution` is pixels per unit along X and Y.

    ImageJ leaves the spacing out where it is 1.
    """
    interval = _seconds(metadata.get("finterval"), metadata.get("tunit"))
    times = {"T": interval} if interval > 0 else {}
    unit = _micrometres(str(metadata.get("unit", "")))
    if not unit:
        return times
    sizes = {letter: unit / per for letter, per in zip("XY", resolution, strict=True) if per > 0}
    if unit in _TAG_UNITS.values() and not _are_plausible(sizes):
        # ImageJ took the resolution of a print, in inches or centimetres, for that of a microscope.
        return times
    return times | sizes | {"Z": abs(_number(metadata.get("spacing", 1.0))) * unit}


def imagej_channels(metadata: Mapping[str, Any], channels: int) -> tuple[str, ...]:
    """Give channel names from the labels of planes, if every plane of a channel has the same."""
    labels = [str(label) for label in metadata.get("Labels", ())]
    if channels < 2 or len(labels) < channels:
        return ()
    names = tuple(labels[:channels])
    steady = all(label == names[i % channels] for i, label in enumerate(labels))
    return names if steady and all(names) else ()


def tag_sizes(resolution: Sequence[float], unit: int, metadata: Mapping[str, Any]) -> dict[str, float]:
    """Give pixel sizes from the resolution tags, unless they are a printer's or a screen's."""
    per_unit = _TAG_UNITS.get(unit, 0.0)
    sizes = {letter: per_unit / per for letter, per in zip("XY", resolution, strict=True) if per > 0}
    if not _are_plausible(sizes):
        return {}
    spacing = _number(metadata.get("spacing")) * _micrometres(str(metadata.get("unit", "")))
    return sizes | ({"Z": spacing} if spacing > 0 else {})


def svs_sizes(description: str) -> dict[str, float]:
    """Give the pixel size of an Aperio slide, which is said in its description (``MPP = 0.4990``)."""
    fields = (part.partition("=") for part in description.split("|"))
    size = next((_number(value) for name, _, value in fields if name.strip() == "MPP"), 0.0)
    return {"Y": size, "X": size} if size > 0 else {}


def lsm_sizes(metadata: Mapping[str, Any]) -> dict[str, float]:
    """Give the voxel sizes of a Zeiss LSM file, which are in metre."""
    return {letter: _number(metadata.get(f"VoxelSize{letter}")) * 1e6 for letter in "ZYX"}


def _are_plausible(sizes: Sizes) -> bool:
    return all(_PLAUSIBLE[0] <= size <= _PLAUSIBLE[1] for size in sizes.values())


def _micrometres(unit: str) -> float:
    return _MICROMETRES.get(unit.strip().lower(), 0.0)


def _seconds(value: Any, unit: Any) -> float:
    return _number(value) * _SECONDS.get(str(unit or "").strip().lower(), 0.0)


def _number(value: Any) -> float:
    try:
        number = float(value)
    except (TypeError, ValueError):
        return 0.0
    return number if math.isfinite(number) else 0.0


def _ome_pixels(description: Element, image: int) -> Element | None:
    pixels = [child for child in description.iter() if child.tag.endswith("}Pixels")]
    return pixels[image] if image < len(pixels) else None
