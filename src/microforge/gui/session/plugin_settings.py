"""Preferences in napari (0.9 and later): device, runs folder, hints; where runs go, and what they are called."""

import re
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from qtpy.QtCore import QStandardPaths

from microforge.config import DeviceName
from microforge.errors import MicroforgeError
from microforge.io.atomic import atomic_write_text
from microforge.training.history.run_folder import MODEL_NAME, MODELS

_PLUGIN = "napari-microforge"
#: The file in the folder for trainings that keeps the goal chosen last.
LAST_GOAL = "last goal.txt"
_FORMAT = "%Y-%m-%d %H-%M-%S"
_NAME = re.compile(r"(\d{4}-\d\d-\d\d \d\d-\d\d-\d\d) (.+)")
#: Signs that no disk refuses, and so many of an image's name.
_REFUSED, _LONGEST = re.compile(r"[^\w .()+-]"), 40


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


def last_goal(runs_folder: Path) -> str:
    """Give the name of the task chosen last, by whoever trains into this folder; empty where none was."""
    try:
        return (runs_folder / LAST_GOAL).read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError):
        return ""


def remember_goal(runs_folder: Path, task: str) -> None:
    """Keep the name of the task chosen, for the next start; without it the next start offers the usual one."""
    with suppress(OSError, MicroforgeError):
        runs_folder.mkdir(parents=True, exist_ok=True)
        atomic_write_text(runs_folder / LAST_GOAL, task, durable=False)


def run_name(begun: datetime, image: str, result: str) -> str:
    """Name the folder of a run, so that folders stand in the order in which they were made.

    Parameters
    ----------
    begun
        When it began.
    image
        Name of the first image it learns from; empty = none is open.
    result
        What the model's answers are: objects, cells, denoised ...
    """
    readable = _REFUSED.sub("_", image)[:_LONGEST].strip(" .")
    return " ".join(part for part in (begun.strftime(_FORMAT), readable, result) if part)


def model_title(path: Path) -> str:
    """Give a name of a model for people: ``nuclei objects, 25 Nov 01:42``; a file that a person has named keeps it.

    Those that a run had before its present one are counted: ``nuclei objects, 25 Nov 01:42, earlier 2``.
    """
    if path.parent.name == MODELS and path.stem.isdecimal():
        return f"{_run_title(path.parent.parent)}, earlier {int(path.stem)}"
    return path.stem if path.name != MODEL_NAME else _run_title(path.parent)


def _run_title(run: Path) -> str:
    found = _NAME.fullmatch(run.name)
    try:
        begun = datetime.strptime(found[1], _FORMAT) if found else None
    except ValueError:
        begun = None
    return run.name if found is None or begun is None else f"{found[2]}, {begun.day} {begun:%b %H:%M}"
