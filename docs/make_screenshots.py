"""Make the pictures of the user guide: drive the real dock through its widgets and photograph the window.

    xvfb-run -a -s "-screen 0 1600x1000x24" python docs/make_screenshots.py

Writes ``docs/images/NAME.png`` (dark theme) and ``NAME-light.png``. Takes about ten minutes on two cores.
"""

import argparse
import tempfile
from pathlib import Path

import numpy as np
from scipy import ndimage
from screenshots_counting import classes, counting
from screenshots_first_minutes import first_minutes
from studio import PIXEL, Studio

from microforge.annotations import IMAGE_PAIRS, LABELS, NOTHING
from microforge.gui.apply.results.images import ImageResults
from microforge.gui.review.images import ImageReview
from microforge.gui.review.objects import ReviewPanel
from microforge.gui.session.training_run import RunState
from microforge.io.writing import write_image
from microforge.simulate import noisy_pair, simulate_cells, simulate_nuclei

PARTS = ["first", "objects", "images", "counts"]
#: Rows and columns of the part that is annotated: a corner, as a person would do.
REGION = (slice(20, 270), slice(20, 270))


def annotate(studio: Studio) -> None:
    """Make the layer, "paint" the nuclei of a corner, and mark it as complete."""
    panel = studio.dock.annotate
    studio.turn_to("Annotate")
    panel.tools[LABELS].annotate.click()
    item = panel.current()
    assert item is not None
    truth = studio.viewer.layers["nuclei truth"].data
    item.labels.data[REGION] = whole_objects(truth)
    item.labels.refresh()
    item.labels.events.paint(value=[])
    panel.region.click()
    rows, columns = REGION
    assert item.region is not None
    item.region.add_rectangles(
        [[rows.start, columns.start], [rows.start, columns.stop], [rows.stop, columns.stop], [rows.stop, columns.start]]
    )
    item.region.selected_data = set()
    studio.viewer.layers.selection.active = item.labels
    studio.wait(lambda: studio.dock.watch.readiness.ready)
    studio.pause(1)
    studio.shoot("annotate")


def whole_objects(truth: np.ndarray) -> np.ndarray:
    """Give the truth of the region, its objects numbered anew."""
    _, numbers = np.unique(truth[REGION], return_inverse=True)
    return numbers.reshape(truth[REGION].shape)


def train(studio: Studio, seconds: float) -> None:
    """Train for a while; photograph it running and stopped."""
    panel = studio.dock.train
    studio.turn_to("Train")
    studio.pause(0.5)
    studio.shoot("train-start")
    panel.train.click()
    studio.pause(seconds)
    studio.shoot("overview")
    panel.stop.click()
    studio.wait(lambda: panel.run.state is RunState.ENDED)
    studio.pause(0.5)
    studio.shoot("train-done")


def apply(studio: Studio) -> None:
    """Apply to the open image, show the table, then a folder with a broken file."""
    panel, session = studio.dock.apply, studio.dock.session
    studio.turn_to("Apply")
    viewer = studio.viewer
    for layer in viewer.layers:
        layer.visible = layer.name == "nuclei"
    viewer.layers.selection.active = viewer.layers["nuclei"]
    panel.layers.start.click()
    studio.wait(lambda: not session.applying.running)
    studio.pause(0.5)
    studio.shoot("apply-layers")
    studio.scroll_to(panel.layers.decoding)
    panel.layers.objects.table.panel.view.selectRow(5)
    studio.pause(1)
    studio.shoot("apply-table")
    viewer.reset_view()
    apply_folder(studio)


def apply_folder(studio: Studio) -> None:
    panel, session = studio.dock.apply.folder, studio.dock.session
    images = studio.work / "plate 7"
    images.mkdir()
    for number in range(24):
        field = simulate_nuclei((256, 256), seed=50 + number)
        write_image(images / f"well B{number + 1:02}.tif", field.image, "YX", PIXEL)
    (images / "well B25.tif").write_bytes((images / "well B24.tif").read_bytes()[:3000])
    panel.inputs.set_value([images])
    panel.start.click()
    studio.wait(lambda: not session.applying.running)
    studio.pause(0.5)
    panel.table.selectRow(24)
    panel.table.scrollToBottom()
    studio.shoot("apply-folder")


def review(studio: Studio) -> None:
    """Compare the result with the truth and go to the first object that differs."""
    panel = studio.dock.review.part(ReviewPanel)
    studio.turn_to("Review")
    viewer = studio.viewer
    panel.truth.set_value(viewer.layers["nuclei truth"])
    panel.result.set_value(viewer.layers["nuclei (objects)"])
    panel.compare.click()
    studio.wait(lambda: bool(panel.scores.text()))
    studio.pause(0.5)
    viewer.scene.camera.zoom *= 2.5
    panel.table.selectRow(0)
    studio.pause(0.5)
    studio.shoot("review")


def denoise(studio: Studio, seconds: float) -> None:
    """Denoise one image from itself; compare with the original."""
    dock, viewer = studio.dock, studio.viewer
    studio.fresh("denoising")
    noisy, clean = noisy_pair(4, (384, 384))
    place = {"scale": PIXEL, "units": ("um", "um")}
    shown = tuple(np.percentile(noisy, (1, 99.8)))
    viewer.add_image(clean, name="much light", visible=False, **place)
    image = viewer.add_image(noisy, name="little light", contrast_limits=shown, **place)
    viewer.reset_view()
    dock.annotate.image.set_value(image)
    dock.annotate.options.fold.expand(animate=False)
    studio.wait(lambda: "Nothing" not in dock.annotate.count.text())
    studio.pause(1)
    studio.shoot("denoise-start")
    dock.annotate.tools[NOTHING].use.click()
    studio.train(seconds, "denoise-train")
    studio.apply_to(image)
    images = dock.apply.layers.part(ImageResults)
    images.compare.buttons["Split"].click()
    studio.pause(0.5)
    studio.shoot("denoise-split")
    images.compare.buttons["Result"].click()
    images.compare.difference.click()
    studio.pause(0.5)
    studio.shoot("denoise-difference")
    studio.turn_to("Review")
    review = dock.review.part(ImageReview)
    review.truth.set_value(viewer.layers["much light"])
    review.result.set_value(viewer.layers["little light denoised"])
    review.compare.click()
    studio.wait(lambda: bool(review.scores.text()))
    studio.pause(0.5)
    studio.shoot("review-images")


def pairs(studio: Studio, seconds: float) -> None:
    """Choose a pair the wrong way round, then put it right; predict two stains."""
    dock, viewer = studio.dock, studio.viewer
    studio.fresh("restoration")
    noisy, clean = noisy_pair(5, (384, 384))
    place = {"scale": PIXEL, "units": ("um", "um")}
    layers = [viewer.add_image(one, name=name, **place) for one, name in ((noisy, "5 ms"), (clean, "100 ms"))]
    viewer.reset_view()
    panel = dock.annotate
    panel.image.set_value(layers[1])
    panel.tools[IMAGE_PAIRS].rows[0].choice.picker.set_value(layers[0])
    studio.wait(lambda: bool(dock.watch.verdict.problem))
    studio.pause(0.5)
    studio.shoot("pairs-swapped")
    panel.tools[IMAGE_PAIRS].swap.click()
    studio.wait(lambda: not dock.watch.verdict.problem)
    panel.tools[IMAGE_PAIRS].use.click()
    studio.wait(lambda: dock.watch.readiness.ready)
    studio.pause(1)
    studio.fresh("label-free")
    field = simulate_cells((384, 384), seed=6)
    light = ndimage.gaussian_laplace(field.image[1].astype(np.float32), 2) * -40 + 2000
    light += np.random.default_rng(0).normal(0, 20, light.shape)
    image = viewer.add_image(light, name="phase contrast", **place)
    stains = [
        viewer.add_image(field.image[k], name=name, visible=False, **place) for k, name in enumerate(("DAPI", "MAP2"))
    ]
    viewer.reset_view()
    panel.image.set_value(image)
    panel.tools[IMAGE_PAIRS].rows[0].choice.picker.set_value(stains[0])
    panel.tools[IMAGE_PAIRS].add.click()
    panel.tools[IMAGE_PAIRS].use.click()
    studio.wait(lambda: dock.watch.readiness.ready)
    studio.shoot("stains-start")
    studio.train(seconds)
    studio.apply_to(image)
    studio.shoot("stains")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--images", type=Path, default=Path(__file__).parent / "images")
    parser.add_argument("--training", type=float, default=60, metavar="SECONDS")
    parser.add_argument("--parts", nargs="+", default=PARTS, choices=PARTS)
    chosen = parser.parse_args()
    chosen.images.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="microscope-") as work:
        studio = Studio(chosen.images, Path(work))
        if "first" in chosen.parts:
            first_minutes(studio, chosen.training)
        if "objects" in chosen.parts:
            studio.again()
            annotate(studio)
            train(studio, chosen.training)
            apply(studio)
            review(studio)
        if "images" in chosen.parts:
            denoise(studio, chosen.training)
            pairs(studio, chosen.training)
        if "counts" in chosen.parts:
            counting(studio, chosen.training)
            classes(studio)
        studio.viewer.close()


if __name__ == "__main__":
    main()
