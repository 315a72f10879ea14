"""The pictures of counting cells and of classes of images, for `make_screenshots.py`."""

from pathlib import Path

from napari.layers import Image, Points
from studio import PIXEL, Studio

from microforge.annotations import IMAGE_CLASSES, POINTS
from microforge.gui.apply.results.counts import CountResults
from microforge.gui.review.counts import CountReview
from microforge.gui.session.training_run import RunState
from microforge.gui.widgets.canvas_overlay import overlay_of
from microforge.io.tables import write_table
from microforge.io.writing import write_image
from microforge.simulate import simulate_crowd, simulate_focus

#: Rows and columns of the part in which all cells are clicked.
REGION = (slice(42, 140), slice(26, 148))
#: Part of the images kept aside: 12 of the 40, as an interval needs 9.
ASIDE = 0.3
#: All images of files are alike, as an interval holds for such; higher than wide, so that two fill the window.
SHAPE = (192, 104)
CLASSES = ("in focus", "blurred")
#: Which of the images to tell apart are in focus: no pattern, and the one that is asked for is.
SHARP = {0, 1, 4, 7, 9, 10}
#: How many images have got their class.
GIVEN = 7


def counting(studio: Studio, seconds: float) -> None:
    """Click cells in a region, train on a folder as well, count, and measure on other images."""
    studio.fresh("counting")
    studio.viewer.open_sample("napari-microforge", "cells_to_count")
    studio.viewer.reset_view()
    click(studio)
    train(studio, seconds)
    count(studio)
    review(studio)


def click(studio: Studio) -> None:
    """Put points on the cells of a region, and mark it as complete."""
    panel, viewer = studio.dock.annotate, studio.viewer
    panel.image.set_value(viewer.layers["crowd"])
    panel.tools[POINTS].click.click()
    item = panel.current()
    assert item is not None
    points = item.points[0]
    truth = viewer.layers["crowd truth"]
    assert isinstance(truth, Points)
    rows, columns = REGION
    y, x = truth.data.T
    points.add(truth.data[(y >= rows.start) & (y < rows.stop) & (x >= columns.start) & (x < columns.stop)])
    points.selected_data = set()
    panel.region.click()
    assert item.region is not None
    item.region.add_rectangles(
        [[rows.start, columns.start], [rows.start, columns.stop], [rows.stop, columns.stop], [rows.stop, columns.start]]
    )
    item.region.selected_data = set()
    panel.tools[POINTS].click.click()
    studio.wait(lambda: studio.dock.watch.readiness.ready)
    studio.pause(1)
    studio.shoot("count-annotate")


def train(studio: Studio, seconds: float) -> None:
    """Train to the end: only there the images kept aside are measured with the last weights, for the interval."""
    panel, session = studio.dock.train, studio.dock.session
    session.set_pairs(*write_crowds(studio.work, "day 1", range(100, 140)))
    session.set_config(validation_fraction=ASIDE, time=seconds)
    studio.turn_to("Train")
    panel.show_preview.setChecked(False)
    studio.wait(panel.train.isEnabled)
    panel.train.click()
    studio.wait(lambda: panel.run.state is RunState.ENDED, seconds + 120)
    panel.show_preview.setChecked(True)
    session.set_config(validation_fraction=0.1, time=None)
    session.set_pairs(None)


def count(studio: Studio) -> None:
    """Count the open image, and a region drawn on it."""
    viewer = studio.viewer
    image = viewer.layers["crowd"]
    studio.apply_to(image)
    counts = studio.dock.apply.layers.part(CountResults)
    studio.wait(lambda: bool(counts.images and counts.images[0].rows))
    counts.draw.click()
    regions = viewer.layers.selection.active
    regions.add_polygons([[44, 130], [40, 200], [70, 238], [140, 230], [165, 170], [120, 128]])
    regions.selected_data = set()
    regions.mode = "pan_zoom"
    viewer.layers.selection.active = image
    studio.wait(lambda: "region 1: " in overlay_of(viewer).text)
    studio.pause(1)
    viewer.reset_view()
    studio.shoot("count-apply")


def review(studio: Studio) -> None:
    """Measure on images that nothing was learnt from; open the worst beside the best."""
    images, points = write_crowds(studio.work, "day 2", range(200, 260))
    panel = studio.dock.review.part(CountReview)
    studio.turn_to("Review")
    panel.source.where.set_value("files")
    panel.source.images.set_value([images])
    panel.source.truth.set_value([points])
    panel.source.start.click()
    studio.wait(lambda: not panel.source.running and bool(panel.cases))
    panel.both.click()
    studio.wait(lambda: sum(layer.name.endswith(" truth") and layer.visible for layer in studio.viewer.layers) == 2)
    studio.pause(1)
    studio.shoot("count-review")


def write_crowds(folder: Path, name: str, seeds: range) -> tuple[Path, Path]:
    """Write crowds and a table of points for each; give both folders."""
    images, points = folder / name, folder / f"{name} points"
    for each in (images, points):
        each.mkdir()
    for number, seed in enumerate(seeds, 1):
        crowd = simulate_crowd(SHAPE, seed=seed)
        write_image(images / f"field {number:02}.tif", crowd.image, "YX", PIXEL)
        write_table(points / f"field {number:02}.csv", {"y": crowd.points[:, 0], "x": crowd.points[:, 1]})
    return images, points


def classes(studio: Studio) -> None:
    """Open small images, some in focus, and give half of them their class by keys."""
    studio.fresh("classification")
    viewer, panel = studio.viewer, studio.dock.annotate.tools[IMAGE_CLASSES]
    names = [f"well {row}{column}" for row in "AB" for column in range(1, 7)]
    # The first one is to be on top.
    for number, name in reversed(list(enumerate(names))):
        pixels = simulate_focus(number, sharp=number in SHARP, shape=(192, 192))
        viewer.add_image(pixels, name=name, scale=PIXEL, units=("um", "um"))
    viewer.reset_view()
    studio.pause(0.5)
    for number, name in enumerate(CLASSES):
        panel.names.renamed.emit(number, name)
    studio.dock.annotate.image.set_value(viewer.layers[names[0]])
    for number in range(GIVEN):
        panel.give(int(number not in SHARP))
        studio.pause(0.3)
    studio.wait(lambda: studio.dock.watch.readiness.ready)
    assert isinstance(panel.choice.value(), Image)
    studio.pause(1)
    studio.shoot("classes-annotate")
