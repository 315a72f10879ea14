"""`microforge doctor`: what this computer offers, what will be used, and what to do where something is missing."""

import json
import os
import platform
import shutil
import sys
from importlib.metadata import PackageNotFoundError, entry_points, version
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import typer

from microforge.cli.options import JsonOption

_PACKAGES = ("napari-microforge", "torch", "numpy", "scipy", "scikit-image", "tifffile", "napari", "qtpy", "pyqtgraph")
_BINDINGS = ("PyQt6", "PySide6", "PyQt5", "PySide2")
#: A folder run or a training needs at least so much, in bytes.
_LITTLE_MEMORY = 2 << 30
_LITTLE_DISK = 1 << 30


def doctor(as_json: JsonOption = False) -> None:
    """Say which device will be used and why a GPU is not, what is installed, and what to repair."""
    report = examine()
    if as_json:
        typer.echo(json.dumps(report, indent=2))
        return
    for section, values in report.items():
        if section == "advice":
            continue
        typer.echo(section)
        for name, value in values.items():
            if value not in ("", None):
                typer.echo(f"  {name:>18}: {value}")
    typer.echo("advice")
    for advice in report["advice"] or ["Everything that is needed is there."]:
        typer.echo(f"  - {advice}")


def examine() -> dict[str, Any]:
    """Give what was found, by section; `advice` is a list of sentences."""
    device, screen, space = _device(), _screen(), _space()
    advice = [device["remedy"], *_screen_advice(screen), *_space_advice(space)]
    return {
        "system": {"system": platform.platform(), "python": sys.version.split()[0], "interpreter": sys.executable},
        "versions": {name: _version(name) for name in _PACKAGES},
        "device": device,
        "space": space,
        "screen": screen,
        "advice": [text for text in advice if text],
    }


def _device() -> dict[str, Any]:
    try:
        from microforge.device import describe_device

        found = describe_device()
    except (ImportError, OSError) as error:
        return {"used": "none", "reason": f"PyTorch cannot be loaded: {error}", "remedy": "Install torch again."}
    return {
        "used": f"{found.device} ({found.title})",
        "why no GPU": found.reason,
        "remedy": found.remedy,
        "threads": _threads(),
    }


def _threads() -> int:
    import torch

    return torch.get_num_threads()


def _space() -> dict[str, str]:
    import psutil

    memory = psutil.virtual_memory()
    disk = shutil.disk_usage(Path.cwd())
    return {
        "free memory": f"{memory.available / 2**30:.1f} of {memory.total / 2**30:.1f} GB",
        "free disk here": f"{disk.free / 2**30:.1f} GB",
    }


def _space_advice(space: dict[str, str]) -> list[str]:
    advice = []
    if float(space["free memory"].split()[0]) * 2**30 < _LITTLE_MEMORY:
        advice.append("Little memory is free: close other programs before training.")
    if float(space["free disk here"].split()[0]) * 2**30 < _LITTLE_DISK:
        advice.append("The disk is almost full: free some space before a folder is predicted.")
    return advice


def _screen() -> dict[str, str]:
    """Look for the window's parts without opening one: a server without a screen is healthy too."""
    return {
        "napari": "installed" if find_spec("napari") else "not installed",
        "Qt": next((name for name in _BINDINGS if find_spec(name)), "not installed"),
        "display": _display(),
        "OpenGL": _opengl(),
        "plugin manifest": "found" if _has_manifest() else "not found",
    }


def _screen_advice(screen: dict[str, str]) -> list[str]:
    advice = []
    if "not installed" in (screen["napari"], screen["Qt"]):
        advice.append('For the window, install napari and Qt: pip install "napari-microforge[all]".')
    if screen["plugin manifest"] != "found":
        advice.append("napari will not list the plugin: install it again with pip install --force-reinstall --no-deps.")
    if screen["display"] == "none":
        advice.append("There is no display: the command line works; for the window connect with a desktop session.")
    elif screen["OpenGL"] == "not found":
        advice.append("OpenGL was not found: install the graphics driver (Linux: libgl1 libegl1 libgl1-mesa-dri).")
    return advice


def _display() -> str:
    if sys.platform != "linux":
        return "the system's own"
    return os.environ.get("WAYLAND_DISPLAY") or os.environ.get("DISPLAY") or "none"


def _opengl() -> str:
    from ctypes.util import find_library

    names = ("GL", "EGL", "OpenGL", "opengl32")
    return next((found for name in names if (found := find_library(name))), "not found")


def _has_manifest() -> bool:
    """Ask as napari does: the entry point names a file inside the package."""
    import microforge

    entries = entry_points(group="napari.manifest")
    file = next((entry.value.partition(":")[2] for entry in entries if entry.name == "napari-microforge"), "")
    return bool(file) and (Path(microforge.__file__).parent / file).is_file()


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "not installed"
