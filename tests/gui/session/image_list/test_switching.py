"""One image at a time: what is open, what is put away, and what counts meanwhile."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile
from napari.layers import Image, Labels
from pytestqt.qtbot import QtBot

from microforge.gui.session.annotation_watcher import Watch
from microforge.gui.session.image_list.at_rest import FilePixels, PackedLabels, resting_pixels
from microforge.gui.session.image_list.listed_image import ListedImage
from microforge.gui.session.image_list.switching import Switching
from microforge.gui.session.painted_layers import annotation_of
from microforge.gui.session.state import Session
from microforge.gui.session.training_run import TrainingRun
from microforge.gui.session.watching.edits import edited_images
from microforge.gui.session.watching.front_image import FrontImage
from microforge.types import Sample
from support.fakes import FakeTraining

SHAPE = (64, 80)


class Shelf:
    """A session with files in its list, and ways to go from one to another."""

    def __init__(self, qtbot: QtBot, session: Session, folder: Path, count: int = 3) -> None:
        self.qtbot, self.session = qtbot, session
        self.paths = [folder / f"field {number}.tif" for number in range(count)]
        for number, path in enumerate(self.paths):
            pixels = np.full(SHAPE, number, np.uint16)
            pixels[::2] += np.uint16(7)
            tifffile.imwrite(path, pixels)
        self.front = FrontImage(session)
        self.switching = Switching(session, self.front.bring)
        self.entries = session.image_list.add_files(self.paths)

    @property
    def images(self) -> list[str]:
        return [layer.name for layer in self.session.viewer.layers if isinstance(layer, Image)]

    def go(self, number: int) -> ListedImage:
        entry = self.entries[number]
        self.switching.go(entry)
        self.qtbot.waitUntil(lambda: entry.is_open and not self.switching.busy)
        self.settle()
        return entry

    def settle(self) -> None:
        """Wait until what was left is put away and packed."""
        self.qtbot.waitUntil(lambda: sum(one.is_open for one in self.entries) <= 1)
        self.qtbot.waitUntil(lambda: all(one.is_packed for one in self.entries if one.at_rest))

    def paint(self, number: int, label: int = 1) -> Labels:
        """Go to an image and paint an object."""
        entry = self.go(number)
        labels = annotation_of(self.session, entry.layer).labels
        assert isinstance(labels, Labels)
        labels.data[10:20, 10 : 20 + label] = label
        labels.refresh()
        return labels


@pytest.fixture
def shelf(qtbot: QtBot, session: Session, tmp_path: Path) -> Iterator[Shelf]:
    made = Shelf(qtbot, session, tmp_path)
    yield made
    made.front.close()


def test_files_are_listed_without_being_opened(shelf: Shelf) -> None:
    assert [entry.name for entry in shelf.entries] == ["field 0", "field 1", "field 2"]
    assert not shelf.session.viewer.layers


def test_file_is_listed_once_and_files_of_one_name_are_told_apart(shelf: Shelf, tmp_path: Path) -> None:
    assert shelf.session.image_list.add_files(shelf.paths) == []
    names = [tmp_path / folder / "field 0.tif" for folder in ("day 1", "day 2")]
    added = shelf.session.image_list.add_files(names)
    assert [entry.name for entry in added] == ["day 1 field 0", "day 2 field 0"]


def test_one_image_is_open_at_a_time(shelf: Shelf) -> None:
    for number in (0, 1, 2, 0):
        shelf.go(number)
        assert shelf.images == [f"field {number}"]
        assert shelf.session.image_list.current is shelf.entries[number]
    assert [entry.layer is None for entry in shelf.entries] == [False, True, True]


def test_next_and_previous_stop_at_the_ends(shelf: Shelf, qtbot: QtBot) -> None:
    shelf.go(1)
    assert shelf.switching.step(1)
    qtbot.waitUntil(lambda: shelf.images == ["field 2"])
    assert not shelf.switching.step(1)
    assert shelf.switching.step(-1, lambda entry: entry.name == "field 0")
    qtbot.waitUntil(lambda: shelf.images == ["field 0"])


def test_of_images_passed_in_haste_only_the_last_is_opened(shelf: Shelf, qtbot: QtBot) -> None:
    opened: list[str] = []
    shelf.switching.shown.connect(lambda entry: opened.append(entry.name))
    for entry in shelf.entries:
        shelf.switching.go(entry)
    qtbot.waitUntil(lambda: shelf.images == ["field 2"])
    assert opened == ["field 2"]


def test_camera_and_contrast_come_back_with_an_image(shelf: Shelf) -> None:
    layer = shelf.go(0).layer
    assert layer is not None
    layer.contrast_limits = (1, 5)
    camera = getattr(shelf.session.viewer, "scene", shelf.session.viewer).camera
    camera.center, camera.zoom = (0, 12, 34), 7.5
    shelf.go(1)
    camera.zoom = 2.0
    back = shelf.go(0).layer
    assert back is not None
    assert tuple(back.contrast_limits) == (1, 5)
    assert camera.zoom == pytest.approx(7.5)
    assert tuple(camera.center) == pytest.approx((0, 12, 34))


def test_what_is_painted_waits_packed_and_comes_back(shelf: Shelf) -> None:
    labels = shelf.paint(0, 3)
    image, before = shelf.entries[0].layer, labels.data.copy()
    shelf.go(1)
    assert shelf.images == ["field 1"]
    assert isinstance(resting_pixels(labels), PackedLabels)
    assert isinstance(resting_pixels(image), FilePixels)
    shelf.go(0)
    assert list(shelf.session.viewer.layers) == [image, labels]
    assert np.array_equal(labels.data, before)
    assert labels.data.flags.writeable
    assert np.array_equal(image.data, tifffile.imread(shelf.paths[0]))
    assert shelf.session.viewer.layers.selection.active is labels


def test_annotation_on_which_nothing_is_painted_is_not_kept(shelf: Shelf) -> None:
    annotation_of(shelf.session, shelf.go(0).layer)
    shelf.go(1)
    assert shelf.entries[0].layer is None
    assert shelf.session.annotated == []


def test_image_put_away_counts_and_is_trained_on(shelf: Shelf, training: FakeTraining, qtbot: QtBot) -> None:
    shelf.paint(0, 1)
    shelf.paint(1, 2)
    shelf.go(2)
    watch = Watch(shelf.session)
    qtbot.waitUntil(lambda: "2 objects" in watch.readiness.text)
    assert "2 images" in watch.readiness.text
    run = TrainingRun(shelf.session)
    run.start()
    qtbot.waitUntil(lambda: len(training.calls) == 1)
    given: list[Sample] = list(training.calls[0]["training"])
    assert [sample.name for sample in given] == ["field 0", "field 1"]
    for number, sample in enumerate(given):
        assert np.array_equal(np.asarray(sample.image)[0], tifffile.imread(shelf.paths[number]))
        assert int(np.max(sample.annotation)) == number + 1
    run.stop()
    qtbot.waitUntil(lambda: not run.busy)
    watch.close()


def test_training_under_way_is_told_nothing_when_images_are_only_put_away(
    shelf: Shelf, training: FakeTraining, qtbot: QtBot
) -> None:
    watch = Watch(shelf.session)
    shelf.paint(0, 1)
    labels = shelf.paint(1, 2)
    run = TrainingRun(shelf.session)
    run.start()
    qtbot.waitUntil(lambda: len(training.calls) == 1 and shelf.session.live is not None)
    handed: list[Sample] = []
    shelf.session.live.replace = lambda sample, aside=False: handed.append(sample)
    for number in (0, 2, 1, 0, 1):
        shelf.go(number)
        watch.look()
        qtbot.waitUntil(lambda: not shelf.session.watching.running)
    assert handed == []
    assert run.busy
    labels.data[30:40, 30:40] = 3
    labels.events.data()
    qtbot.waitUntil(lambda: bool(handed), timeout=30_000)
    assert {sample.name for sample in handed} == {"field 1"}
    run.stop()
    qtbot.waitUntil(lambda: not run.busy)
    watch.close()


def test_class_of_an_image_stays_when_it_is_put_away(shelf: Shelf) -> None:
    shelf.session.set_task("classification")
    shelf.session.set_class([shelf.go(0).layer], "good")
    shelf.go(1)
    assert [(item.image.name, item.class_name) for item in shelf.session.items] == [("field 0", "good")]
    assert isinstance(resting_pixels(shelf.entries[0].layer), FilePixels)
    assert [one.snapshot.image.data.shape for one in edited_images(shelf.session)] == [SHAPE]


def test_layer_without_a_file_stays_in_the_viewer_hidden(shelf: Shelf) -> None:
    layer = shelf.session.viewer.add_image(np.ones(SHAPE), name="no file")
    assert shelf.session.image_list.entries[-1].layer is layer
    shelf.go(0)
    assert shelf.images == ["no file", "field 0"]
    assert not layer.visible
    shelf.switching.go(shelf.session.image_list.entries[-1])
    shelf.qtbot.waitUntil(lambda: shelf.images == ["no file"])
    assert layer.visible


def test_file_that_is_missing_says_so_in_its_entry_and_the_next_can_be_opened(shelf: Shelf, qtbot: QtBot) -> None:
    shelf.go(0)
    shelf.paths[1].unlink()
    shelf.switching.step(1)
    qtbot.waitUntil(lambda: bool(shelf.entries[1].problem))
    assert "no such file" in shelf.entries[1].problem
    assert shelf.images == ["field 0"]
    shelf.switching.step(1)
    qtbot.waitUntil(lambda: shelf.images == ["field 2"])


def test_annotation_is_kept_when_the_file_has_another_size_on_coming_back(shelf: Shelf, qtbot: QtBot) -> None:
    labels = shelf.paint(0)
    shelf.go(1)
    tifffile.imwrite(shelf.paths[0], np.zeros((5, 5), np.uint16))
    shelf.switching.go(shelf.entries[0])
    qtbot.waitUntil(lambda: bool(shelf.entries[0].problem))
    assert "5 × 5" in shelf.entries[0].problem
    assert "64 × 80" in shelf.entries[0].problem
    assert shelf.session.annotated[0].labels is labels


def test_layer_that_a_person_removes_is_forgotten_as_before(shelf: Shelf) -> None:
    labels = shelf.paint(0)
    shelf.session.viewer.layers.remove(labels)
    assert shelf.session.annotated == []
    shelf.session.viewer.layers.clear()
    assert [entry.layer for entry in shelf.entries] == [None, None, None]


def test_undo_still_works_after_coming_back(shelf: Shelf) -> None:
    labels = shelf.paint(0)
    before = labels.data.copy()
    labels.fill((40, 40), 5)
    assert (labels.data == 5).any()
    shelf.go(1)
    shelf.go(0)
    labels.undo()
    assert np.array_equal(labels.data, before)


def test_only_layers_of_the_image_in_front_are_in_the_viewer_of_many(
    qtbot: QtBot, session: Session, tmp_path: Path, make_session: Callable[[Any], Session]
) -> None:
    many = Shelf(qtbot, session, tmp_path, 8)
    for number in range(8):
        many.paint(number)
    assert len(session.viewer.layers) == 2
    assert len(session.items) == 8
    many.front.close()


def test_image_left_for_a_test_is_neither_counted_nor_handed_to_the_training(
    shelf: Shelf, training: FakeTraining, qtbot: QtBot
) -> None:
    for number in range(3):
        shelf.paint(number)
    shelf.session.set_role(shelf.entries[1:2], "test")
    watch, run = Watch(shelf.session), TrainingRun(shelf.session)
    qtbot.waitUntil(lambda: "2 objects" in watch.readiness.text)
    run.start()
    qtbot.waitUntil(lambda: len(training.calls) == 1)
    assert [sample.name for sample in training.calls[0]["training"]] == ["field 0", "field 2"]
    assert training.calls[0]["validation"] is None
    assert training.calls[0]["tests"] == ["field 1"]
    run.stop()
    qtbot.waitUntil(lambda: not run.busy)
    watch.close()


def test_stroke_made_a_moment_before_the_image_is_put_away_is_noticed(shelf: Shelf, qtbot: QtBot) -> None:
    labels = shelf.paint(0)
    contents = shelf.session.contents
    contents.close()
    contents.follow([labels])
    before = contents.version(labels)
    contents.hint(labels)
    contents.follow([], [labels])
    assert contents.version(labels) != before
    again = contents.version(labels)
    contents.follow([], [labels])
    assert contents.version(labels) == again


@pytest.mark.parametrize("shape", [(1, 7), (700, 900), (3, 40, 50), (0, 5)])
def test_packed_labels_are_what_they_were_whole_and_in_part(shape: tuple[int, ...]) -> None:
    labels = np.random.default_rng(0).integers(0, 3, shape).astype(np.int32)
    packed = PackedLabels(labels)
    assert np.array_equal(np.asarray(packed), labels)
    assert packed.highest == labels.max(initial=0)
    for key in ((slice(1, 300), slice(2, 5)), (slice(None), slice(0, 4)), 0, (0, slice(None)), np.s_[::2]):
        if len(labels):
            assert np.array_equal(packed[key], labels[key])


def test_stroke_made_before_the_first_look_at_a_layer_is_noticed(shelf: Shelf) -> None:
    labels = shelf.paint(0)
    contents = shelf.session.contents
    contents.close()
    contents.follow([labels])
    before = contents.version(labels)
    contents.hint(labels, drawn=True)
    assert contents.version(labels) != before
    contents.look()
    again = contents.version(labels)
    contents.hint(labels, drawn=True)
    contents.look()
    assert contents.version(labels) == again
