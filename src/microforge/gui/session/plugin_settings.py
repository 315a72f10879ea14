"""Preferences in napari (0.9 and later): device, runs folder, hints."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from qtpy.QtCore import QStandardPaths

from microforge.config import DeviceName

_PLUGIN = "napari-microforge"


@dataclass(frozen=True)
class PluginSettings:
    """The settings that the manifest declares.

    Attributes
    ----------
    device
        What trains and applies models unless another is chosen in the window.
    runs_folder
        Where runs go; None for the folder among the user's data.
    show_advice
        Whether hints are shown that are no warnings.
    """

    device: DeviceName = "auto"
    runs_folder: Path | None = None
    show_advice: bool = True


def read_settings() -> PluginSettings:
    """Give what was chosen; the defaults where napari is older, or does not know the plugin."""
    chosen = _chosen()
    if chosen is None:
        return PluginSettings()
    return PluginSettings(chosen.device, _folder(chosen.runs_folder), chosen.show_advice)


def default_runs_folder() -> Path:
    """Give the folder of this user's data for runs."""
    root = QStandardPaths.writableLocation(QStandardPaths.StandardLocation.GenericDataLocation)
    return Path(root or Path.home()) / "microforge" / "runs"


def _chosen() -> Any:
    try:
        from napari.settings import get_plugin_settings
    except ImportError:
        return None
    try:
        return get_plugin_settings(_PLUGIN).general
    except KeyError:
        # Run from its sources or in another manager of plugins: the manifest was not found.
        return None


def _folder(text: str) -> Path | None:
    """Give a folder as it was typed; in relation to the home folder, as napari may be started anywhere."""
    if not text.strip():
        return None
    return Path.home() / Path(text.strip()).expanduser()
