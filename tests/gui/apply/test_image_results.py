"""Predicted images as layers: geometry, looks, before and after; without an engine."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from microforge.events import TileFinished
from microforge.gui.apply.panel import ApplyPanel
from microforge.gui.apply.results.before_after import ORIGINAL, RESULT, SPLIT
from microforge.gui.apply.results.images import ImageResults
from microforge.gui.layers.marks import is_result
from microforge.gui.layers.open_files import open_files, show_opened
from microforge.gui.session.state import Session
from microforge.io.images import read_image
from microforge.io.writing import write_image
from microforge.tasks import get_task
from microforge.types import Image, Prediction
from support.model_cards import write_model

FIGURES = {"noise before": 12.0, "noise after": 1.5, "residual correlation": 0.01}


class Cleaner:
    """Halves all intensities, or makes stains of them; `finer` repeats pixels."""

    keeps, finer, stains = True, 1, ()

    def __init__(self, model: Path, config: Any) -> None:
        self.task = get_task("denoising" if self.keeps else "label-free")()

    def run_image(self, image: Image) -> Iterator[TileFinished | Prediction]:
        yield TileFinished(1, 1)
        order = [image.axes.index(letter) for letter in "TCSZYX" if letter in image.axes]
        data = np.asarray(image.data, np.float32).transpose(order) / 2
        letters = "".join(image.axes[i] for i in order).replace("S", "C")
        if "C" not in letters:
            data = np.expand_dims(data, 1 if "T" in letters else 0)
        if self.stains:
            data = np.concatenate([data] * len(self.stains), axis=1 if "T" in letters else 0)
        data = data.repeat(self.finer, -1).repeat(self.finer, -2)
        size = image.pixel_size and tuple(length / self.finer for length in image.pixel_size)
        yield Prediction(
            image=data, image_name="denoised", channel_names=self.stains, statistics=FIGURES, pixel_size=size
        )


@pytest.fixture
def cleaner() -> type[Cleaner]:
    return type("Fresh", (Cleaner,), {})


@pytest.fixture
def panel(qtbot: Any, session: Session, cleaner: type[Cleaner], tmp_path: Path) -> ApplyPanel:
    panel = ApplyPanel(session, cleaner)
    qtbot.addWidget(panel)
    panel.show()
    session.set_model(write_model(tmp_path / "clean.safetensors", task="denoising"))
    return panel


def noise(*shape: int) -> np.ndarray:
    return np.random.default_rng(0).integers(100, 4000, shape, np.uint16)


def apply(qtbot: Any, panel: ApplyPanel) -> list[Any]:
    with qtbot.waitSignal(panel.layers._session.applying.finished, timeout=10_000):
        panel.layers.apply()
    return [layer for layer in panel.layers._session.viewer.layers if is_result(layer)]


def test_result_looks_and_lies_like_its_source(qtbot: Any, session: Session, panel: ApplyPanel) -> None:
    look = {"contrast_limits": (200, 900), "colormap": "viridis", "gamma": 0.7}
    place = {"scale": (0.5, 0.25), "translate": (3, 4), "rotate": 30, "shear": [0.2], "units": ("um", "um")}
    source = session.viewer.add_image(noise(20, 30), name="cells", **look, **place)
    (result,) = apply(qtbot, panel)
    assert result.name == "cells denoised"
    assert (result.data.dtype, result.data.shape) == (np.float32, (20, 30))
    assert np.allclose(result.data, source.data / 2)
    assert (tuple(result.contrast_limits), result.gamma, result.colormap.name) == ((200, 900), 0.7, "viridis")
    assert (result.blending, result.visible) == ("translucent", True)
    for point in ((0, 0), (19, 29)):
        assert np.allclose(result.data_to_world(point), source.data_to_world(point))
    assert result.units == source.units
    assert result.metadata["axes"] == "YX"
    assert session.viewer.layers.index(result) > session.viewer.layers.index(source)


@pytest.mark.parametrize("finer", [2, 3])
def test_finer_grid_covers_the_same_area(
    qtbot: Any, session: Session, panel: ApplyPanel, cleaner: type[Cleaner], finer: int
) -> None:
    cleaner.finer = finer
    place = {"scale": (2, 0.5, 0.25), "translate": (0, 3, 4), "rotate": 20, "shear": (0, 0, 0.3)}
    source = session.viewer.add_image(noise(4, 20, 30), name="cells", metadata={"axes": "ZYX"}, **place)
    (result,) = apply(qtbot, panel)
    assert result.data.shape == (4, 20 * finer, 30 * finer)
    corners = np.array([[0, -0.5, -0.5], [3, -0.5, 29.5], [1, 19.5, 29.5]])
    fine = corners.copy()
    fine[:, 1:] = (corners[:, 1:] + 0.5) * finer - 0.5
    for here, there in zip(corners, fine, strict=True):
        assert np.allclose(source.data_to_world(here), result.data_to_world(there))


@pytest.mark.parametrize(("axes", "shape"), [("TYX", (5, 12, 14)), ("CYX", (2, 12, 14)), ("ZCYX", (4, 2, 12, 14))])
def test_dimensions_of_the_source_are_kept(
    qtbot: Any, session: Session, panel: ApplyPanel, axes: str, shape: tuple[int, ...]
) -> None:
    source = session.viewer.add_image(noise(*shape), name="a", metadata={"axes": axes})
    (result,) = apply(qtbot, panel)
    assert np.allclose(result.data, source.data / 2)
    assert result.metadata["axes"] == axes


def test_colour_stays_colour(qtbot: Any, session: Session, panel: ApplyPanel) -> None:
    data = np.random.default_rng(0).integers(0, 255, (12, 14, 3), np.uint8)
    session.viewer.add_image(data, name="slide", rgb=True)
    (result,) = apply(qtbot, panel)
    assert result.rgb
    assert result.data.dtype == np.uint8
    assert np.abs(result.data - data / 2.0).max() <= 0.5
    panel.layers.part(ImageResults).compare.buttons[SPLIT].click()
    panel.layers.part(ImageResults).compare.difference.click()
    removed = session.viewer.layers["slide removed"]
    assert removed.data.shape == (12, 14)
    assert np.allclose(np.asarray(removed.data), (data - np.asarray(result.data, float)).mean(-1))


def test_stains_become_a_layer_each(qtbot: Any, session: Session, panel: ApplyPanel, cleaner: type[Cleaner]) -> None:
    cleaner.keeps, cleaner.stains = False, ("DAPI", "MAP2", "GFP")
    session.viewer.add_image(noise(3, 12, 14), name="phase", metadata={"axes": "TYX"})
    results = apply(qtbot, panel)
    assert [layer.name for layer in results] == [f"phase denoised {stain}" for stain in cleaner.stains]
    assert [layer.colormap.name for layer in results] == ["blue", "cyan", "green"]
    assert {layer.blending for layer in results} == {"additive"}
    assert {layer.data.shape for layer in results} == {(3, 12, 14)}
    assert results[0].contrast_limits[1] < 2100
    assert panel.layers.part(ImageResults).compare.difference.isHidden(), "units differ: nothing to subtract"


def test_applying_again_updates_the_layer(qtbot: Any, session: Session, panel: ApplyPanel) -> None:
    session.viewer.add_image(noise(20, 30), name="cells")
    (first,) = apply(qtbot, panel)
    first.contrast_limits = (0, 50)
    assert apply(qtbot, panel) == [first]
    assert tuple(first.contrast_limits) == (0, 50)
    first.name = "mine"
    assert len(apply(qtbot, panel)) == 2


def test_figures_are_said(qtbot: Any, session: Session, panel: ApplyPanel) -> None:
    session.viewer.add_image(noise(20, 30), name="cells")
    apply(qtbot, panel)
    assert (
        panel.layers.part(ImageResults)
        .statistics.text()
        .startswith("cells: Noise 12 → 1.5 grey levels. What was removed")
    )


def test_before_and_after(qtbot: Any, session: Session, panel: ApplyPanel) -> None:
    source = session.viewer.add_image(noise(20, 30), name="cells")
    assert panel.layers.part(ImageResults).isHidden()
    (result,) = apply(qtbot, panel)
    compare = panel.layers.part(ImageResults).compare
    compare.buttons[ORIGINAL].click()
    assert (source.visible, result.visible) == (True, False)
    compare.buttons[SPLIT].click()
    split = next(layer for layer in session.viewer.layers if layer.metadata.get("split"))
    assert (result.visible, split.visible, compare.divider.isHidden()) == (False, True, False)
    compare.divider.setValue(250)
    qtbot.waitUntil(lambda: split.data.divider == 8)
    shown = np.asarray(split.data)
    assert np.array_equal(shown[:, :8], source.data[:, :8])
    assert np.array_equal(shown[:, 10:], result.data[:, 10:])
    compare.buttons[RESULT].click()
    assert (result.visible, split.visible, compare.divider.isHidden()) == (True, False, True)
    assert source.visible
    session.viewer.layers.selection = {source}
    compare.difference.click()
    removed = session.viewer.layers["cells removed"]
    assert (removed.visible, session.viewer.layers.selection) == (True, {source}), "what is selected stays"
    compare.buttons[SPLIT].click()
    assert (removed.visible, split.visible) == (False, True), "it would cover both halves"
    session.viewer.layers.remove(split)
    assert (result.visible, source.visible, compare.buttons[RESULT].isChecked()) == (True, True, True)


def test_difference_layer(qtbot: Any, session: Session, panel: ApplyPanel) -> None:
    source = session.viewer.add_image(noise(4, 20, 30), name="film", metadata={"axes": "TYX"}, scale=(1, 2, 2))
    (result,) = apply(qtbot, panel)
    compare = panel.layers.part(ImageResults).compare
    compare.difference.click()
    removed = session.viewer.layers["film removed"]
    assert np.allclose(np.asarray(removed.data), source.data - np.asarray(result.data))
    low, high = removed.contrast_limits
    assert low == -high
    assert tuple(removed.scale) == (1, 2, 2)
    assert not compare.about.isHidden()
    apply(qtbot, panel)
    assert compare.difference.isChecked()
    assert [layer.name for layer in session.viewer.layers].count("film removed") == 1
    session.viewer.layers.remove("film removed")
    assert not compare.difference.isChecked()


def test_what_is_selected_means_its_source(qtbot: Any, session: Session, panel: ApplyPanel) -> None:
    source = session.viewer.add_image(noise(20, 30), name="cells")
    session.viewer.add_image(noise(20, 30), name="other")
    session.viewer.layers.selection = {source}
    (result,) = apply(qtbot, panel)
    panel.layers.part(ImageResults).compare.difference.click()
    for layer in (result, session.viewer.layers["cells removed"]):
        session.viewer.layers.selection = {layer}
        assert panel.layers.images() == [source]


def test_settings_of_prediction(panel: ApplyPanel, session: Session, tmp_path: Path) -> None:
    assert {"flips", "image_type"} <= set(panel.settings._form.fields)
    options = {"channels": 1, "same_kind": True, "adds": True}
    session.set_model(write_model(tmp_path / "r.safetensors", task="restoration", task_options=options))
    assert panel.settings._task is not None
    assert panel.settings._task.fields == {}, "what the data decided is nobody's to change"
    panel.settings._form.fields["flips"].widget.value = True
    assert panel.settings.value().flips
    assert panel.settings.value().task_options == {}


def test_layers_that_go_meanwhile(qtbot: Any, session: Session, panel: ApplyPanel) -> None:
    source = session.viewer.add_image(noise(20, 30), name="cells")
    apply(qtbot, panel)
    compare = panel.layers.part(ImageResults).compare
    compare.buttons[SPLIT].click()
    session.viewer.layers.remove(source)
    assert compare.isHidden()
    qtbot.waitUntil(lambda: not [layer for layer in session.viewer.layers if layer.metadata.get("split")])
    source = session.viewer.add_image(noise(20, 30), name="cells")
    session.viewer.layers.selection = {source}
    result = apply(qtbot, panel)[-1]
    compare.buttons[SPLIT].click()
    session.viewer.layers.remove(result)
    assert compare.isHidden()
    session.viewer.layers.selection = {source}
    apply(qtbot, panel)
    compare.buttons[SPLIT].click()
    compare.difference.setChecked(True)
    session.viewer.layers.clear()
    assert len(session.viewer.layers) == 0


def test_saved_images_can_be_read(qtbot: Any, session: Session, panel: ApplyPanel, tmp_path: Path) -> None:
    session.viewer.add_image(
        noise(2, 20, 30), name="cells", metadata={"axes": "CYX"}, scale=(1, 0.5, 0.5), units=("pixel", "um", "um")
    )
    apply(qtbot, panel)
    images = panel.layers.part(ImageResults)
    with qtbot.waitSignal(images._saving.finished):
        images.save_to([tmp_path / "saved.tif"])
    saved = read_image(tmp_path / "saved.tif")
    assert (saved.axes, saved.data.dtype, saved.pixel_size) == ("CYX", np.float32, (0.5, 0.5))
    assert "Saved saved.tif" in images.note.text()
    with qtbot.waitSignal(images._saving.finished):
        images.save_to([tmp_path / "missing" / "saved.tif"])
    assert images.note.severity == "error"


def test_results_become_images_of_her_own(qtbot: Any, session: Session, panel: ApplyPanel) -> None:
    session.viewer.add_image(noise(3, 20, 30), name="cells", metadata={"axes": "TYX"})
    (result,) = apply(qtbot, panel)
    panel.layers.part(ImageResults).reuse.click()
    copy = session.images()[-1]
    assert copy.name == "cells denoised image"
    assert copy.data is result.data
    assert session.axes_of(copy) is None
    assert copy.metadata["axes"] == "TYX"
    apply(qtbot, panel)
    assert copy in session.viewer.layers


@pytest.mark.parametrize(("axes", "shape"), [("YX", (20, 30)), ("TYX", (3, 20, 30)), ("CYX", (2, 20, 30))])
@pytest.mark.parametrize("finer", [1, 2])
def test_files_of_a_folder_run_are_opened_with_their_image(
    session: Session, tmp_path: Path, axes: str, shape: tuple[int, ...], finer: int
) -> None:
    data = noise(*shape)
    made = (data / 2).astype(np.float32).repeat(finer, -1).repeat(finer, -2)
    write_image(tmp_path / "a.tif", data, axes, (0.4, 0.4))
    write_image(tmp_path / "result.tif", made, axes, (0.4 / finer, 0.4 / finer))
    (opened,) = open_files(tmp_path / "a.tif", tmp_path / "result.tif")
    show_opened(session.viewer, opened)
    image, *results = session.viewer.layers
    assert len(results) == (2 if "C" in axes else 1)
    assert np.allclose(results[0].data, made[0] if "C" in axes else made)
    assert np.allclose(results[0].scale[-2:], 0.4 / finer)
    assert np.allclose(results[0].data_to_world([0, -0.5, -0.5][-results[0].ndim :])[-2:], -0.2)
    assert session.images() == [image]
