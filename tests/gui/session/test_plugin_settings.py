"""What the manifest offers napari: entries in its menus, and settings in its preferences."""

import gc
import weakref
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from napari.components import ViewerModel
from npe2 import PluginManager, PluginManifest
from pytestqt.qtbot import QtBot
from qtpy.QtWidgets import QWidget

import microforge
from microforge.device import DeviceReport
from microforge.errors import MicroforgeError
from microforge.events import RunAdvice
from microforge.gui import commands
from microforge.gui.dock import MicroforgeDock
from microforge.gui.session.plugin_settings import (
    PluginSettings,
    default_runs_folder,
    model_title,
    read_settings,
    run_name,
)
from microforge.gui.session.state import Session
from microforge.gui.train.report import RunReport

MANIFEST = Path(microforge.__file__).parent / "napari.yaml"
settings = pytest.importorskip("napari.settings")
with_settings = pytest.mark.skipif(
    not hasattr(settings, "get_plugin_settings"), reason="napari shows settings of plugins from 0.9 on."
)


@pytest.fixture
def manifest() -> PluginManifest:
    return PluginManifest.from_file(MANIFEST)


@pytest.fixture
def chosen(npe2pm: PluginManager, manifest: PluginManifest, request: pytest.FixtureRequest) -> Any:
    """What napari keeps for the plugin, in a folder of the test's own."""
    request.getfixturevalue("plugin_settings")
    npe2pm.register(manifest)
    return settings.get_plugin_settings("napari-microforge").general


@with_settings
class TestSettings:
    def test_the_manifest_and_the_window_agree_on_the_defaults(self, chosen: Any) -> None:
        assert read_settings() == PluginSettings()

    def test_the_device_that_was_chosen_is_used_for_everything(self, qtbot: QtBot, chosen: Any) -> None:
        chosen.device = "cpu"
        session = Session(ViewerModel())
        assert session.config.device == "cpu"
        from microforge.gui.apply.panel import PredictionSettings

        form = PredictionSettings(session)
        qtbot.addWidget(form)
        assert form.value().device == "cpu"

    def test_a_device_that_does_not_exist_is_refused(self, chosen: Any) -> None:
        with pytest.raises(ValueError, match="enum"):
            chosen.device = "abacus"

    def test_trainings_go_to_the_folder_that_was_chosen(self, qtbot: QtBot, chosen: Any, tmp_path: Path) -> None:
        chosen.runs_folder = str(tmp_path / "runs")
        session = Session(ViewerModel())
        assert session.new_run_folder().parent == tmp_path / "runs"
        assert Session(ViewerModel(), runs_folder=tmp_path).runs_folder == tmp_path

    @pytest.mark.parametrize("typed", ["~/runs", "runs", " runs "])
    def test_a_folder_may_be_typed_in_relation_to_the_home_folder(self, chosen: Any, typed: str) -> None:
        chosen.runs_folder = typed
        assert read_settings().runs_folder == Path.home() / "runs"

    def test_blanks_mean_the_usual_folder(self, qtbot: QtBot, chosen: Any) -> None:
        chosen.runs_folder = "  "
        assert Session(ViewerModel()).runs_folder == default_runs_folder()

    def test_hints_can_be_switched_off(self, chosen: Any) -> None:
        chosen.show_advice = False
        assert not Session(ViewerModel()).settings.show_advice

    def test_what_was_chosen_is_kept_in_a_file(self, chosen: Any, tmp_path: Path) -> None:
        chosen.device = "cpu"
        assert "device: cpu" in (tmp_path / "napari-microforge.yaml").read_text(encoding="utf-8")


def test_a_napari_that_does_not_know_the_plugin_gives_the_defaults(request: pytest.FixtureRequest) -> None:
    request.getfixturevalue("npe2pm")
    assert read_settings() == PluginSettings()


BEGUN = datetime(2026, 11, 25, 1, 42, 45)


@pytest.mark.parametrize(
    ("image", "result", "folder", "title"),
    [
        ("nuclei", "objects", "2026-11-25 01-42-45 nuclei objects", "nuclei objects, 25 Nov 01:42"),
        ("", "denoised", "2026-11-25 01-42-45 denoised", "denoised, 25 Nov 01:42"),
        ("a/b: c?", "cells", "2026-11-25 01-42-45 a_b_ c_ cells", "a_b_ c_ cells, 25 Nov 01:42"),
        ("x" * 300, "cells", f"2026-11-25 01-42-45 {'x' * 40} cells", f"{'x' * 40} cells, 25 Nov 01:42"),
    ],
)
def test_a_run_is_called_by_what_it_learns(image: str, result: str, folder: str, title: str) -> None:
    assert run_name(BEGUN, image, result) == folder
    assert model_title(Path(folder) / "model.safetensors") == title


def test_models_that_people_named_keep_their_names() -> None:
    assert model_title(Path("runs/2026-11-25 01-42-45 nuclei/mine.safetensors")) == "mine"
    assert model_title(Path("plate 7/model.safetensors")) == "plate 7"
    assert model_title(Path("2026-13-45 01-42-45 a/model.safetensors")) == "2026-13-45 01-42-45 a"


def test_an_older_napari_gives_the_defaults(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(settings, "get_plugin_settings", raising=False)
    assert read_settings() == PluginSettings()


@pytest.mark.parametrize(("hints", "shown"), [(True, 2), (False, 1)])
def test_warnings_are_shown_in_any_case(qtbot: QtBot, hints: bool, shown: int) -> None:
    report = RunReport(hints=hints)
    qtbot.addWidget(report)
    report.add(RunAdvice("a", "Consider this.", "info"))
    report.add(RunAdvice("b", "Beware of that.", "warning"))
    assert len(report.hints.texts) == shown


def test_every_entry_of_a_menu_has_a_command(manifest: PluginManifest) -> None:
    assert manifest.contributions.commands is not None
    known = {command.id: command.python_name for command in manifest.contributions.commands}
    for items in manifest.contributions.menus.values():
        for item in items:
            assert str(known[item.command]).startswith("microforge.gui.commands:")
            assert callable(getattr(commands, str(known[item.command]).partition(":")[2]))


def test_napari_shows_every_menu_named(manifest: PluginManifest) -> None:
    from napari._app_model.constants._menus import is_menu_contributable

    assert all(is_menu_contributable(menu) for menu in manifest.contributions.menus)


class TestCommands:
    @pytest.fixture(autouse=True)
    def _light(self, monkeypatch: pytest.MonkeyPatch) -> None:
        report = DeviceReport("cpu", "a test processor", "", "")
        monkeypatch.setattr("microforge.gui.dock.load_engine", lambda: iter([report]))

    @pytest.fixture
    def viewer(self, qtbot: QtBot, make_napari_viewer: Callable[..., Any]) -> Iterator["weakref.ref[Any]"]:
        """A reference only: what a test is given lives longer than the check for leaked viewers allows."""
        viewer = make_napari_viewer()
        viewer.add_image(np.zeros((8, 9)))
        window = weakref.ref(viewer.window._qt_viewer)
        yield weakref.ref(viewer)
        viewer.close()
        del viewer
        qtbot.waitUntil(lambda: gc.collect() >= 0 and window() is None, timeout=20_000)

    def test_each_opens_one_dock_at_its_step(self, viewer: "weakref.ref[Any]") -> None:
        steps = []
        for command in (commands.open_annotate, commands.open_train, commands.open_apply, commands.open_annotate):
            command()
            [dock] = docks(viewer().window)
            steps.append(dock.tabs.tabText(dock.tabs.currentIndex()))
        assert steps == ["Annotate", "Train", "Apply", "Annotate"]

    def test_a_hidden_dock_comes_back(self, viewer: "weakref.ref[Any]") -> None:
        commands.open_annotate()
        frame = docks(viewer().window)[0].parentWidget()
        assert frame is not None
        frame.hide()
        commands.open_apply()
        assert not frame.isHidden()


def docks(window: Any) -> list[QWidget]:
    return [dock for dock in window.dock_widgets.values() if isinstance(dock, MicroforgeDock)]


def test_without_a_window_a_command_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("napari.current_viewer", lambda: None)
    with pytest.raises(MicroforgeError, match="no napari window"):
        commands.open_annotate()


def test_a_model_of_before_is_counted() -> None:
    run = Path("/runs/2026-11-25 01-42-00 nuclei objects")
    assert model_title(run / "models" / "002.safetensors") == "nuclei objects, 25 Nov 01:42, earlier 2"
    assert model_title(Path("/mine/models/best.safetensors")) == "best"
