"""Whatever changes a layer, the counts and the training under way follow."""

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
from napari.layers import Labels
from pytestqt.qtbot import QtBot

from microforge.gui.session.annotation_watcher import Watch
from microforge.gui.session.state import Session
from microforge.gui.session.training_run import TrainingRun
from microforge.types import Sample
from support.fakes import FakeTraining

#: Milliseconds, far more than a change takes to be noticed.
SOON = 3000


@pytest.fixture
def watch(session: Session) -> Iterator[Watch]:
    watch = Watch(session)
    yield watch
    watch.close()


def annotated(session: Session, objects: int = 2, name: str = "cells", dtype: Any = np.int32) -> Labels:
    """Give the labels of an image with some objects, 5 x 5 pixels each."""
    pixels = np.random.default_rng(0).integers(0, 255, (40, 48), np.uint8)
    labels = np.zeros(pixels.shape, dtype)
    for number in range(objects):
        labels[1:6, 1 + 7 * number : 6 + 7 * number] = number + 1
    image = session.viewer.add_image(pixels, name=name)
    layer = session.viewer.add_labels(labels, name=f"{name} labels")
    session.annotate(image, layer)
    return layer


def wait_for(qtbot: QtBot, watch: Watch, objects: int) -> None:
    text = f"{objects} object"
    qtbot.waitUntil(lambda: watch.readiness.text.startswith(text), timeout=SOON)


@pytest.fixture
def labels(qtbot: QtBot, session: Session, watch: Watch) -> Labels:
    layer = annotated(session)
    wait_for(qtbot, watch, 2)
    return layer


def write(layer: Labels) -> None:
    layer.data[20:25, 20:25] = 9


def write_and_refresh(layer: Labels) -> None:
    write(layer)
    layer.refresh()


def paint(layer: Labels) -> None:
    layer.paint((22, 22), 9)


def fill(layer: Labels) -> None:
    layer.fill((30, 30), 9)


def exchange(layer: Labels) -> None:
    layer.data = np.where(np.arange(48) == 40, 9, layer.data)


def set_items(layer: Labels) -> None:
    layer.data_setitem((np.array([20, 21]), np.array([20, 21])), 9)


CHANGES = (write, write_and_refresh, paint, fill, exchange, set_items)


@pytest.mark.parametrize("change", CHANGES, ids=lambda change: change.__name__)
def test_count_follows_whatever_changes_the_labels(
    qtbot: QtBot, watch: Watch, labels: Labels, change: Callable[[Labels], None]
) -> None:
    change(labels)
    wait_for(qtbot, watch, 3)


def test_count_follows_undo_and_redo(qtbot: QtBot, watch: Watch, labels: Labels) -> None:
    labels.paint((22, 22), 9)
    wait_for(qtbot, watch, 3)
    labels.undo()
    wait_for(qtbot, watch, 2)
    labels.redo()
    wait_for(qtbot, watch, 3)


def test_count_follows_erasing(qtbot: QtBot, watch: Watch, labels: Labels) -> None:
    labels.data[labels.data == 1] = 0
    wait_for(qtbot, watch, 1)


@pytest.fixture
def given(qtbot: QtBot, session: Session, labels: Labels, training: FakeTraining) -> Iterator[list[Sample]]:
    """Give what a training under way is told of, one sample after the other."""
    run = TrainingRun(session)
    run.start()
    qtbot.waitUntil(lambda: bool(training.calls), timeout=SOON)
    yield training.calls[0]["replaced"]
    run.stop()
    qtbot.waitUntil(lambda: not run.busy, timeout=SOON)


@pytest.mark.parametrize("change", CHANGES, ids=lambda change: change.__name__)
def test_training_learns_from_what_the_layer_holds_whatever_changed_it(
    qtbot: QtBot, labels: Labels, given: list[Sample], change: Callable[[Labels], None]
) -> None:
    before = labels.data.copy()
    change(labels)
    qtbot.waitUntil(lambda: bool(given) and np.array_equal(given[-1].annotation, labels.data), timeout=SOON)  # type: ignore[arg-type]
    labels.data = before
    qtbot.waitUntil(lambda: np.array_equal(given[-1].annotation, before), timeout=SOON)  # type: ignore[arg-type]
    assert not np.shares_memory(given[-1].annotation, labels.data)  # type: ignore[arg-type]


def test_training_forgets_an_object_that_is_undone(qtbot: QtBot, labels: Labels, given: list[Sample]) -> None:
    labels.paint((22, 22), 9)
    qtbot.waitUntil(lambda: bool(given) and 9 in given[-1].annotation, timeout=SOON)  # type: ignore[operator]
    labels.undo()
    qtbot.waitUntil(lambda: 9 not in given[-1].annotation, timeout=SOON)  # type: ignore[operator]


def test_training_is_told_only_what_has_changed(
    qtbot: QtBot, session: Session, watch: Watch, labels: Labels, given: list[Sample]
) -> None:
    annotated(session, name="other")
    qtbot.waitUntil(lambda: [sample.name for sample in given] == ["other"], timeout=SOON)
    labels.paint((22, 22), 9)
    qtbot.waitUntil(lambda: [sample.name for sample in given] == ["other", "cells"], timeout=SOON)
    labels.refresh()
    session.changed.emit()
    qtbot.wait(500)
    assert [sample.name for sample in given] == ["other", "cells"]


def test_training_forgets_an_image_that_is_taken_away_or_not_used_any_more(
    qtbot: QtBot, session: Session, labels: Labels, given: list[Sample]
) -> None:
    other = annotated(session, name="other")
    qtbot.waitUntil(lambda: [sample.name for sample in given] == ["other"], timeout=SOON)
    session.change(session.annotated_of(labels), use=False)  # type: ignore[arg-type]
    qtbot.waitUntil(lambda: given[-1].name == "cells", timeout=SOON)
    assert (given[-1].known_size, np.any(given[-1].annotation)) == (0, False)
    session.change(session.annotated_of(labels), use=True)  # type: ignore[arg-type]
    qtbot.waitUntil(lambda: given[-1].known_size > 0, timeout=SOON)
    assert np.array_equal(given[-1].annotation, labels.data)  # type: ignore[arg-type]
    session.viewer.layers.remove(other)
    qtbot.waitUntil(lambda: (given[-1].name, given[-1].known_size) == ("other", 0), timeout=SOON)


def test_training_keeps_what_it_learns_from_when_all_layers_are_closed(
    qtbot: QtBot, session: Session, given: list[Sample]
) -> None:
    session.viewer.layers.clear()
    qtbot.wait(600)
    assert given == []


def test_renamed_image_stays_the_same_to_the_training(
    qtbot: QtBot, session: Session, labels: Labels, given: list[Sample]
) -> None:
    session.annotated[0].image.name = "renamed"
    labels.paint((22, 22), 9)
    qtbot.waitUntil(lambda: bool(given), timeout=SOON)
    assert {sample.name for sample in given} == {"cells"}


def test_training_is_told_when_the_pixels_or_the_scale_of_an_image_change(
    qtbot: QtBot, session: Session, labels: Labels, given: list[Sample]
) -> None:
    image = session.annotated[0].image
    image.data[:10] = 7
    qtbot.waitUntil(lambda: bool(given), timeout=SOON)
    image.units = ("um", "um")
    image.scale = (0.5, 0.5)
    qtbot.waitUntil(lambda: given[-1].pixel_size == (0.5, 0.5), timeout=SOON)


def test_image_that_cannot_be_used_does_not_hold_up_the_edits_of_others(
    qtbot: QtBot, session: Session, watch: Watch, labels: Labels, given: list[Sample]
) -> None:
    other = annotated(session, name="other")
    qtbot.waitUntil(lambda: bool(given), timeout=SOON)
    other.data = np.ones((3, 3), np.int32)
    qtbot.waitUntil(lambda: "other labels" in watch.readiness.missing, timeout=SOON)
    assert watch.readiness.text.startswith("2 objects")
    labels.paint((22, 22), 9)
    qtbot.waitUntil(lambda: given[-1].name == "cells" and 9 in given[-1].annotation, timeout=SOON)  # type: ignore[operator]


def test_watch_that_is_closed_hears_no_more_of_the_layers(qtbot: QtBot, session: Session) -> None:
    watch = Watch(session)
    labels = annotated(session)
    wait_for(qtbot, watch, 2)
    watch.close()
    watch.deleteLater()
    qtbot.wait(50)
    session.viewer.layers.remove(labels)
    session.changed.emit()
    qtbot.wait(300)
    assert watch.readiness.text.startswith("2 objects")
