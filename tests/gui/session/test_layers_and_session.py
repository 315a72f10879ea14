"""Whatever is done to layers, in whatever order: counts, samples of a training and fresh labels stay true."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from napari.components import ViewerModel
from napari.layers import Image, Labels

from microforge.gui.layers.convert import add_labels
from microforge.gui.layers.gestures.new_labels import NewLabels
from microforge.gui.layers.layer_axes import axes_of
from microforge.gui.session.state import Session
from microforge.gui.session.watching.edits import usable_images
from microforge.gui.session.watching.handed_over import HandedOver
from microforge.types import Sample
from support.fakes import FakeTraining

#: Steps in all at least, in examples of so many at most.
STEPS, RUN, EXAMPLES = 2000, 50, 80
SHAPES = ((20, 24), (1, 1, 20, 24), (3, 20, 24))
numbers = st.integers(0, 1 << 16)


class LayersAndSession(RuleBasedStateMachine):
    """A person, a script and a training at work on the same layers; looks are taken at once rather than in time."""

    #: Looks taken in all examples.
    steps = 0

    def __init__(self) -> None:
        super().__init__()
        self.session = Session(ViewerModel(), FakeTraining(), Path("runs"))
        # Without the thread: after each step the layers are looked at here.
        self.session.contents.close()
        self.removed: list[Any] = []
        self.known: dict[str, Sample] | None = None
        self.fresh: dict[Labels, NewLabels] = {}

    def teardown(self) -> None:
        self.session.close(5)

    def image(self, number: int) -> Image:
        return self.session.images()[number % len(self.session.images())]

    def labels(self, number: int) -> Labels:
        painted = self.painted()
        return painted[number % len(painted)]

    def painted(self) -> list[Labels]:
        return [item.labels for item in self.session.items if item.labels is not None]

    @initialize()
    def first(self) -> None:
        self.open(0)
        self.annotate(0)

    @rule(number=numbers)
    def open(self, number: int) -> None:
        shape = SHAPES[number % len(SHAPES)]
        self.session.viewer.add_image(np.arange(np.prod(shape)).reshape(shape) % 251, name="image")

    @precondition(lambda self: self.session.images())
    @rule(number=numbers)
    def annotate(self, number: int) -> None:
        image = self.image(number)
        item = self.session.annotated_of(image)
        if item is None or item.labels is None:
            # Pressing the button confirms the axes; of an image that was away they are forgotten.
            self.session.set_axes(image, "TYX" if image.data.shape[0] == 3 else "YX")
            letters = axes_of(image, self.session.axes_of(image))[0]
            labels = add_labels(self.session.viewer, image, letters)
            self.session.annotate(image, labels)
            self.fresh[labels] = NewLabels(labels)

    @precondition(lambda self: self.painted())
    @rule(number=numbers, label=st.integers(1, 300), fill=st.booleans())
    def paint(self, number: int, label: int, fill: bool) -> None:
        layer = self.labels(number)
        place = tuple(number % n for n in layer.data.shape)
        if label <= np.iinfo(layer.data.dtype).max:
            (layer.fill if fill else layer.paint)(place, label)

    @precondition(lambda self: self.painted())
    @rule(number=numbers)
    def begin_object(self, number: int) -> None:
        layer = self.labels(number)
        label = self.fresh[layer].take()
        assert not (layer.data == label).any()
        layer.paint(tuple(number % n for n in layer.data.shape), label)
        assert (layer.data == label).any()

    @precondition(lambda self: self.painted())
    @rule(number=numbers, redo=st.booleans())
    def undo(self, number: int, redo: bool) -> None:
        layer = self.labels(number)
        (layer.redo if redo else layer.undo)()

    @precondition(lambda self: self.painted())
    @rule(number=numbers, label=st.integers(0, 120))
    def write(self, number: int, label: int) -> None:
        row = number % 20
        self.labels(number).data[..., row, :5] = label

    @precondition(lambda self: self.painted())
    @rule(number=numbers, dtype=st.sampled_from([np.uint8, np.uint16, np.int32]))
    def exchange(self, number: int, dtype: Any) -> None:
        layer = self.labels(number)
        rolled = np.roll(layer.data.astype(np.int64), number % 7, -1)
        layer.data = np.minimum(rolled, np.iinfo(dtype).max).astype(dtype)

    @precondition(lambda self: self.session.images())
    @rule(number=numbers)
    def write_image(self, number: int) -> None:
        self.image(number).data[..., 0, 0] = number % 251

    @precondition(lambda self: self.session.viewer.layers)
    @rule(number=numbers, name=st.sampled_from(["image", "a", "image annotation"]))
    def rename(self, number: int, name: str) -> None:
        layers = self.session.viewer.layers
        layers[number % len(layers)].name = name

    @precondition(lambda self: self.session.images())
    @rule(number=numbers, scale=st.sampled_from([0.5, 1.0, 3.0]))
    def rescale(self, number: int, scale: float) -> None:
        image = self.image(number)
        image.units, image.scale = ("um",) * image.ndim, (scale,) * image.ndim

    @precondition(lambda self: len(self.session.viewer.layers) > 1)
    @rule(number=numbers)
    def remove(self, number: int) -> None:
        layers = self.session.viewer.layers
        self.removed.append(layers[number % len(layers)])
        layers.remove(self.removed[-1])

    @precondition(lambda self: self.removed)
    @rule()
    def bring_back(self) -> None:
        self.session.viewer.add_layer(self.removed.pop())

    @precondition(lambda self: self.session.items)
    @rule(number=numbers, use=st.booleans(), unpainted=st.sampled_from(["around", "background", "unknown"]))
    def say(self, number: int, use: bool, unpainted: str) -> None:
        item = self.session.items[number % len(self.session.items)]
        self.session.change(item, use=use, unpainted=unpainted)

    @rule()
    def train(self) -> None:
        if self.known is None:
            self.look()
            begun, _ = usable_images(self.session)
            self.session.given = HandedOver({one.item: one.snapshot.image.name for one in begun})
            self.known = {sample.name: sample for one in begun for sample in self.session.given.take(one)}

    @rule()
    def stop(self) -> None:
        self.known, self.session.given = None, HandedOver()

    def look(self) -> None:
        session = self.session
        layers = {layer for item in session.annotated for layer in (item.image, *item.drawn)}
        session.contents.follow(layers)
        for layer in layers:
            session.contents.hint(layer)
        session.contents.look()

    @invariant()
    def counts_and_samples_are_what_the_layers_hold(self) -> None:
        LayersAndSession.steps += 1
        self.look()
        usable, problems = usable_images(self.session)
        assert problems == []
        used = [item for item in self.session.items if item.use]
        assert [one.item for one in usable] == used
        for one in usable:
            frames = {sample.name: np.asarray(sample.annotation) for sample in one.snapshot.samples()}
            held = np.asarray(one.item.labels.data)  # type: ignore[union-attr]
            assert sum(len(np.unique(frame[frame > 0])) for frame in frames.values()) == objects_in(held)
        self.training_knows_the_layers(usable)

    def training_knows_the_layers(self, usable: list[Any]) -> None:
        if self.known is None:
            return
        given = self.session.given
        named = [given.names.setdefault(one.item, one.item.image.name) for one in usable]
        known = [
            type(one)(one.item, one.snapshot.named(name), one.image_version, one.version)
            for one, name in zip(usable, named, strict=True)
        ]
        self.known |= {sample.name: sample for sample in given.changes(known)}
        said = {sample.name: sample for one in known for sample in one.snapshot.samples()}
        for name, sample in said.items():
            assert np.array_equal(self.known[name].annotation, sample.annotation)  # type: ignore[arg-type]
            assert np.array_equal(self.known[name].known, sample.known)
            assert self.known[name].pixel_size == sample.pixel_size
        for name in self.known.keys() - said.keys() if known else ():
            assert self.known[name].known_size == 0 or not np.any(self.known[name].annotation)


def objects_in(labels: np.ndarray[Any, Any]) -> int:
    """Count the objects of each plane ``YX`` of labels that are planes or films of planes."""
    planes = labels.reshape(-1, *labels.shape[-2:])
    return sum(len(np.unique(plane[plane > 0])) for plane in planes)


@pytest.mark.slow
def test_whatever_is_done_to_layers_counts_samples_and_fresh_labels_are_true(qapp: Any) -> None:
    run_state_machine_as_test(
        LayersAndSession,
        settings=settings(
            max_examples=EXAMPLES,
            stateful_step_count=RUN,
            deadline=None,
            derandomize=True,
            database=None,
            phases=(Phase.generate,),
            suppress_health_check=list(HealthCheck),
        ),
    )
    assert LayersAndSession.steps >= STEPS
