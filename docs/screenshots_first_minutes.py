"""The pictures of the first five minutes: each step that a person takes, in order; part of make_screenshots.py."""

import numpy as np
from napari.layers import Labels
from studio import Studio

from microforge.annotations import LABELS
from microforge.gui.session.training_run import RunState
from microforge.measurements.objects import centroids
from microforge.simulate import simulate_nuclei

#: How many nuclei are painted: as few as a person has patience for.
PAINTED = 8


def first_minutes(studio: Studio, seconds: float) -> None:
    """Open a sample, paint a few nuclei, train, stop, apply."""
    dock, viewer = studio.dock, studio.viewer
    studio.turn_to("Annotate")
    viewer.layers.clear()
    studio.pause(0.5)
    studio.shoot("first-1-open")
    dock.annotate.empty.sample.click()
    studio.pause(0.5)
    studio.shoot("first-2-annotate")
    dock.annotate.tools[LABELS].annotate.click()
    labels = viewer.layers.selection.active
    assert isinstance(labels, Labels)
    paint(labels)
    studio.wait(lambda: dock.watch.readiness.ready)
    studio.pause(0.5)
    studio.shoot("first-3-painted")
    dock.annotate.next.click()
    studio.wait(lambda: dock.train.preview.layer is not None)
    studio.pause(seconds)
    studio.shoot("first-4-training")
    dock.header.stop.click()
    studio.wait(lambda: dock.train.run.state is RunState.ENDED)
    studio.pause(0.5)
    studio.shoot("first-5-stopped")
    dock.train.apply.click()
    studio.wait(lambda: not dock.session.applying.running)
    studio.pause(0.5)
    studio.shoot("first-6-result")


def paint(labels: Labels) -> None:
    """Paint the nuclei nearest to the middle of the sample, each a little smaller than it is, as a brush does."""
    truth = simulate_nuclei((512, 512), seed=1).labels
    middles = centroids(truth)
    numbers = np.unique(truth)[1:]
    nearest = numbers[np.argsort(np.linalg.norm(middles - 256, axis=1))[:PAINTED]]
    for label, number in enumerate(nearest, start=1):
        rows, columns = np.nonzero(truth == number)
        near = (rows - rows.mean()) ** 2 + (columns - columns.mean()) ** 2 < 0.8 * len(rows) / np.pi
        labels.data[rows[near], columns[near]] = label
    labels.refresh()
    labels.events.paint(value=[])
