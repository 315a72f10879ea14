"""What the columns of tables are called for people, with units; come here when a column of a table is new.

In files columns have one word (``area_um2``), which programs read; on screen a title with a unit (``area (µm²)``).
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from microforge.types import Array

_UNITS = {"um": "µm", "um2": "µm²", "um3": "µm³"}
#: Title, unit and meaning by the name in files.
_KNOWN = {
    "image": ("image", "", "The image."),
    "label": ("label", "", "The object's number in the label image."),
    "frame": ("frame", "", "The time point, counted from 0."),
    "plane": ("plane", "", "The plane, counted from 0."),
    "kind": ("kind", "", "The kind of cells."),
    "class": ("class", "", "The class."),
    "confidence": (
        "confidence",
        "",
        "How likely it is right, from 0 to 1.",
    ),
    "area": ("area", "px²", "Pixels of the object."),
    "volume": ("volume", "voxels", "Voxels of the object."),
    "area_um2": ("area", "µm²", "Area of the object."),
    "volume_um3": ("volume", "µm³", "Volume of the object."),
    "eccentricity": ("eccentricity", "", "0 = circle, near 1 = line."),
    "solidity": ("solidity", "", "1 = no dents: pixels of the object / pixels of its convex hull."),
}
_PLACE = re.compile(r"(?:centroid_)?([zyx])(?:_um)?")
_INTENSITY = re.compile(r"(mean|min|max)_intensity(?:_(.*))?")
_MICROMETRES = r"_um[23]?$"
_MEANINGS = {"mean": "mean", "min": "lowest", "max": "highest"}
#: What can be added up to something that means anything.
_ADDED = {"area", "area_um2", "volume", "volume_um3"}
#: What says which object it is, and is no measurement.
_NAMES = {"image", "label", "frame", "plane", "kind", "class"}


@dataclass(frozen=True)
class Heading:
    """How a column is shown.

    Attributes
    ----------
    name
        In files.
    title, unit, meaning
        For people; the unit is empty where there is none.
    measured
        Whether its values are measurements of objects, rather than their names and places.
    added
        Whether the sum of its values means anything.
    """

    name: str
    title: str
    unit: str = ""
    meaning: str = ""
    measured: bool = True
    added: bool = False

    @property
    def text(self) -> str:
        """Title and unit."""
        return f"{self.title} ({self.unit})" if self.unit else self.title


def heading_of(name: str) -> Heading:
    """Give how a column is shown; one that is not known by its name, a unit of length at its end apart."""
    if name in _KNOWN:
        title, unit, meaning = _KNOWN[name]
        return Heading(name, title, unit, meaning, name not in _NAMES, name in _ADDED)
    if match := _PLACE.fullmatch(name):
        unit = "µm" if name.endswith("_um") else "plane" if match[1] == "z" else "px"
        return Heading(name, match[1], unit, f"Middle along {match[1].upper()}.", measured=False)
    if match := _INTENSITY.fullmatch(name):
        channel = f" {match[2]}" if match[2] else ""
        return Heading(name, f"{match[1]} intensity{channel}", "", f"The {_MEANINGS[match[1]]} intensity, as recorded.")
    title, _, unit = name.rpartition("_")
    return Heading(name, title, _UNITS[unit]) if unit in _UNITS and title else Heading(name, name)


def shown_headings(columns: Mapping[str, Array]) -> list[Heading]:
    """Give the columns to show: names of the objects, their sizes, other measurements, places.

    Of what is there in pixels and in micrometres only the latter; where images without a pixel size are among others,
    both.
    """
    lengths = {
        re.sub(_MICROMETRES, "", name)
        for name, column in columns.items()
        if re.search(_MICROMETRES, name) and np.isfinite(np.asarray(column, np.float64)).all()
    }
    headings = [heading_of(name) for name in columns if name not in lengths]
    return sorted(headings, key=lambda one: (one.name not in _NAMES, not one.added, not one.measured))
