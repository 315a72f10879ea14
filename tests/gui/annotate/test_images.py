"""Annotate for tasks that need images only, and for those that need pairs."""

from typing import Any

import numpy as np
import pytest
from pytestqt.qtbot import QtBot

from microforge.annotations import IMAGE_PAIRS, LABELS, NOTHING
from microforge.gui.annotate.panel import AnnotatePanel
from microforge.gui.train.training_data import TrainingList
from microforge.simulate import noisy_pair


@pytest.fixture
def pair(panel: AnnotatePanel) -> tuple[Any, Any]:
    """Open a noisy image and its clean one; the noisy one is chosen, restoration is the goal."""
    noisy, clean = noisy_pair(3, (96, 96))
    panel.task.set_value("restoration")
    layers = [panel.session.viewer.add_image(data, name=name) for data, name in ((noisy, "noisy"), (clean, "clean"))]
    panel.image.set_value(layers[0])
    return layers[0], layers[1]


def pick(panel: AnnotatePanel, target: Any, row: int = 0) -> None:
    """Choose a target as a hand would."""
    panel.tools[IMAGE_PAIRS].rows[row].choice.picker.set_value(target)


def test_tools_follow_what_the_task_learns_from(panel: AnnotatePanel) -> None:
    shown = {}
    for name in ("instances", "denoising", "restoration", "label-free", "super-resolution"):
        panel.task.set_value(name)
        tools = [kind for kind, widget in panel.tools.items() if not widget.isHidden()]
        assert tools == [panel.session.kind]
        shown[name] = tools[0]
        assert panel.about.text() == panel.session.task_class.description
    assert shown["denoising"] is NOTHING
    assert shown["restoration"] is shown["label-free"] is shown["super-resolution"] is IMAGE_PAIRS


def test_denoising_needs_one_click(qtbot: QtBot, panel: AnnotatePanel, nuclei: Any) -> None:
    panel.task.set_value("denoising")
    assert not panel.tools[NOTHING].use.isEnabled()
    session = panel.session
    image = session.viewer.add_image(nuclei, name="a")
    panel.tools[NOTHING].use.click()
    assert [item.image for item in session.items] == [image]
    qtbot.waitUntil(lambda: "1 image" in panel.count.text())
    assert panel.next.isVisibleTo(panel)
    panel.tools[NOTHING].leave_out.click()
    assert session.annotated == []
    qtbot.waitUntil(lambda: "No image is chosen" in panel.count.text())


def test_several_images_at_once(panel: AnnotatePanel, nuclei: Any) -> None:
    panel.task.set_value("denoising")
    viewer, session = panel.session.viewer, panel.session
    layers = [viewer.add_image(nuclei, name=name) for name in "abc"]
    viewer.layers.selection = {layers[1], layers[2]}
    assert "2 images" in panel.tools[NOTHING].use.text()
    panel.tools[NOTHING].use.click()
    assert {item.image for item in session.items} == {layers[1], layers[2]}
    panel.tools[NOTHING].use_all.click()
    assert len(session.items) == 3
    assert not panel.tools[NOTHING].use_all.isEnabled()


def test_axes_of_a_stack_are_asked(qtbot: QtBot, panel: AnnotatePanel) -> None:
    panel.task.set_value("denoising")
    film = panel.session.viewer.add_image(np.random.default_rng(0).normal(size=(6, 40, 40)), name="film")
    assert not panel.axes.isHidden()
    panel.axes.choose(0, "T")
    panel.tools[NOTHING].use.click()
    assert panel.session.axes_of(film) == "TYX"
    qtbot.waitUntil(lambda: "6 images" in panel.count.text())


def test_repeats_need_a_series(qtbot: QtBot, panel: AnnotatePanel, nuclei: Any) -> None:
    panel.task.set_value("denoising")
    panel.session.viewer.add_image(nuclei, name="one")
    panel.tools[NOTHING].use.click()
    qtbot.waitUntil(lambda: panel.next.isVisibleTo(panel))
    panel.options.form.fields["method"].widget.value = "repeats"  # type: ignore[union-attr]
    qtbot.waitUntil(lambda: "series" in panel.missing.text())


def test_a_used_pair_that_became_wrong_is_named(qtbot: QtBot, panel: AnnotatePanel, pair: tuple[Any, Any]) -> None:
    panel.tools[IMAGE_PAIRS].use.click()
    qtbot.waitUntil(lambda: panel.next.isVisibleTo(panel))
    pair[1].data = pair[1].data[:40]
    qtbot.waitUntil(lambda: "40x96" in panel.missing.text())
    panel.task.set_value("super-resolution")
    qtbot.waitUntil(lambda: "2, 3 or 4" in panel.missing.text())


def test_saturated_pixels_are_pointed_out(qtbot: QtBot, panel: AnnotatePanel) -> None:
    panel.task.set_value("denoising")
    data = np.random.default_rng(0).integers(0, 3000, (64, 64), np.uint16)
    data[:10, :10] = 4095
    panel.session.viewer.add_image(data, name="bright")
    qtbot.waitUntil(lambda: "as bright as can be recorded" in panel.tools[NOTHING].verdict.text())


def test_colour_images_can_be_denoised(qtbot: QtBot, panel: AnnotatePanel) -> None:
    panel.task.set_value("denoising")
    rng = np.random.default_rng(0)
    panel.session.viewer.add_image(rng.integers(0, 255, (40, 40, 3), np.uint8), rgb=True)
    panel.tools[NOTHING].use.click()
    qtbot.waitUntil(lambda: "1 image" in panel.count.text())


def test_a_pair_in_two_clicks(qtbot: QtBot, panel: AnnotatePanel, pair: tuple[Any, Any]) -> None:
    noisy, clean = pair
    assert panel.tools[IMAGE_PAIRS].targets() == (clean,), "the other image is suggested"
    panel.tools[IMAGE_PAIRS].use.click()
    (item,) = panel.session.items
    assert (item.image, item.targets) == (noisy, (clean,))
    qtbot.waitUntil(lambda: "1 image" in panel.count.text())
    assert panel.next.isVisibleTo(panel)
    panel.tools[IMAGE_PAIRS].leave_out.click()
    assert panel.session.items == []


def test_swapped_pair_is_refused_and_swapped_back(qtbot: QtBot, panel: AnnotatePanel, pair: tuple[Any, Any]) -> None:
    noisy, clean = pair
    panel.tools[IMAGE_PAIRS].swap.click()
    assert (panel.image.value(), panel.tools[IMAGE_PAIRS].targets()) == (clean, (noisy,))
    qtbot.waitUntil(lambda: "swapped" in panel.tools[IMAGE_PAIRS].verdict.text())
    assert panel.tools[IMAGE_PAIRS].verdict.severity == "error"
    panel.tools[IMAGE_PAIRS].use.click()
    assert panel.session.items == []
    panel.tools[IMAGE_PAIRS].swap.click()
    qtbot.waitUntil(lambda: not panel.watch.verdict.problem)
    panel.tools[IMAGE_PAIRS].use.click()
    assert panel.session.items[0].image is noisy


def test_sizes_that_do_not_fit_are_said(qtbot: QtBot, panel: AnnotatePanel, pair: tuple[Any, Any]) -> None:
    small = panel.session.viewer.add_image(pair[1].data[:50, :60], name="small")
    pick(panel, small)
    qtbot.waitUntil(
        lambda: (
            "50x60" in panel.tools[IMAGE_PAIRS].verdict.text() and "96x96" in panel.tools[IMAGE_PAIRS].verdict.text()
        )
    )


def test_different_fields_are_said(qtbot: QtBot, panel: AnnotatePanel, pair: tuple[Any, Any]) -> None:
    _, other = noisy_pair(77, (96, 96))
    pick(panel, panel.session.viewer.add_image(np.ascontiguousarray(other), name="other"))
    qtbot.waitUntil(lambda: "do not show the same" in panel.tools[IMAGE_PAIRS].verdict.text())


def test_displacement_is_said(qtbot: QtBot, panel: AnnotatePanel, pair: tuple[Any, Any]) -> None:
    pick(panel, panel.session.viewer.add_image(np.roll(pair[1].data, 4, axis=1), name="moved"))
    qtbot.waitUntil(lambda: "pixels in Y" in panel.tools[IMAGE_PAIRS].verdict.text())
    assert panel.tools[IMAGE_PAIRS].verdict.severity == "warning"
    panel.tools[IMAGE_PAIRS].use.click()
    assert len(panel.session.items) == 1, "a warning does not forbid"


def test_the_same_layer_twice_is_refused(qtbot: QtBot, panel: AnnotatePanel, pair: tuple[Any, Any]) -> None:
    pick(panel, pair[0])
    qtbot.waitUntil(lambda: "same layer" in panel.tools[IMAGE_PAIRS].verdict.text())
    panel.tools[IMAGE_PAIRS].use.click()
    assert panel.session.items == []


def test_several_targets(qtbot: QtBot, panel: AnnotatePanel, pair: tuple[Any, Any]) -> None:
    _, clean = pair
    panel.task.set_value("label-free")
    second = panel.session.viewer.add_image(clean.data[::-1], name="GFP")
    pick(panel, clean)
    panel.tools[IMAGE_PAIRS].add.click()
    assert panel.tools[IMAGE_PAIRS].targets() == (clean, second)
    assert not panel.tools[IMAGE_PAIRS].add.isEnabled()
    panel.tools[IMAGE_PAIRS].use.click()
    assert panel.session.items[0].targets == (clean, second)
    panel.tools[IMAGE_PAIRS].rows[1].remove.click()
    assert panel.tools[IMAGE_PAIRS].use.text() == "Use these instead"
    panel.tools[IMAGE_PAIRS].use.click()
    assert panel.session.items[0].targets == (clean,)


def test_channels_of_a_target_are_asked(qtbot: QtBot, panel: AnnotatePanel, pair: tuple[Any, Any]) -> None:
    panel.task.set_value("label-free")
    stains = panel.session.viewer.add_image(np.stack([pair[1].data] * 3), name="stains")
    pick(panel, stains)
    row = panel.tools[IMAGE_PAIRS].rows[0]
    assert not row.choice.about.isHidden()
    row.choice.about.axes.choose(0, "C")
    panel.tools[IMAGE_PAIRS].use.click()
    assert panel.session.axes_of(stains) == "CYX"
    qtbot.waitUntil(lambda: panel.next.isVisibleTo(panel))


def test_a_target_that_goes_takes_its_pair_along(panel: AnnotatePanel, pair: tuple[Any, Any]) -> None:
    panel.tools[IMAGE_PAIRS].use.click()
    panel.session.viewer.layers.remove(pair[1])
    assert panel.session.items == []
    assert panel.session.annotated == []
    panel.session.viewer.layers.remove(pair[0])
    assert not panel.tools[IMAGE_PAIRS].use.isEnabled()


def test_switching_back_and_forth_loses_nothing(panel: AnnotatePanel, pair: tuple[Any, Any]) -> None:
    session, (noisy, clean) = panel.session, pair
    listed = TrainingList(session)
    panel.tools[IMAGE_PAIRS].use.click()
    panel.task.set_value("instances")
    assert (session.items, listed.tree.topLevelItemCount()) == ([], 0)
    panel.tools[LABELS].annotate.click()
    labels = session.items[0].labels
    panel.task.set_value("denoising")
    panel.tools[NOTHING].use.click()
    panel.options.form.fields["method"].widget.value = "sub-sampling"  # type: ignore[union-attr]
    assert len(session.annotated) == 1
    panel.task.set_value("restoration")
    assert session.items[0].targets == (clean,)
    assert listed.tree.topLevelItem(0).text(3) == "clean"
    assert panel.tools[IMAGE_PAIRS].current() is session.items[0]
    panel.tools[IMAGE_PAIRS].leave_out.click()
    panel.task.set_value("denoising")
    assert session.items[0].image is noisy
    assert session.task.options.method == "sub-sampling"  # type: ignore[attr-defined]
    panel.task.set_value("instances")
    assert session.items[0].labels is labels
    listed.close_down()
    listed.deleteLater()


def test_options_of_the_goal(panel: AnnotatePanel) -> None:
    panel.task.set_value("restoration")
    form = panel.options.form
    assert form is not None
    assert {"loss", "match", "noisier_target"} <= set(form.fields)
    assert not {"channels", "same_kind", "adds", "low"} & set(form.fields), "found in the data"
    form.fields["loss"].widget.value = "mixed"
    assert panel.session.task.options.loss == "mixed"  # type: ignore[attr-defined]
    assert form.fields["loss"].note.text().startswith("L1 and structural")  # type: ignore[union-attr]
    panel.task.set_value("denoising")
    method = panel.options.form.fields["method"]  # type: ignore[union-attr]
    said = set()
    for choice in ("hidden pixels", "sub-sampling", "repeats"):
        method.widget.value = choice
        said.add(method.note.text())  # type: ignore[union-attr]
    assert len(said) == 3
    assert all(text.endswith(".") for text in said)


def test_a_region_limits_what_is_learnt_from(panel: AnnotatePanel) -> None:
    from microforge.gui.session.snapshot import snapshots_of

    panel.task.set_value("denoising")
    session = panel.session
    film = session.viewer.add_image(
        np.zeros((2, 3, 40, 40)), name="film", metadata={"axes": "CTYX"}, scale=(1, 1, 2, 2)
    )
    panel.tools[NOTHING].use.click()
    panel.region.click()
    item = panel.current()
    assert item is not None
    assert item.region is not None
    item.region.add_rectangles([[1, 10, 10], [1, 10, 20], [1, 20, 20], [1, 20, 10]])
    (snapshot,) = snapshots_of(session)
    masks = [sample.mask for sample in snapshot.samples()]
    assert [mask.any() for mask in masks] == [False, True, False]  # type: ignore[union-attr]
    assert np.argwhere(masks[1]).min() == 10
    assert snapshot.samples()[0].image.shape == (2, 40, 40)
    assert np.shares_memory(snapshot.samples()[0].image, film.data)


def test_removing_the_image_forgets_the_pair(panel: AnnotatePanel, pair: tuple[Any, Any]) -> None:
    panel.tools[IMAGE_PAIRS].use.click()
    panel.session.viewer.layers.clear()
    assert panel.session.annotated == []
    assert panel.tools[IMAGE_PAIRS].targets() == ()


@pytest.mark.parametrize("task", ["denoising", "restoration", "label-free", "instances"])
def test_fits_a_narrow_dock(qtbot: QtBot, panel: AnnotatePanel, pair: tuple[Any, Any], task: str) -> None:
    panel.task.set_value(task)
    panel.tools[IMAGE_PAIRS].add.click()
    panel.tools[IMAGE_PAIRS].use.click()
    panel.options.fold.expand(animate=False)
    qtbot.wait(50)
    assert panel.minimumSizeHint().width() <= 290
