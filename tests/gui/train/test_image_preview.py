"""The preview of tasks whose answer is an image."""

from typing import Any

import numpy as np
from pytestqt.qtbot import QtBot

from microforge.gui.session.training_run import RunState
from microforge.gui.train.panel import TrainPanel
from microforge.types import Prediction, Sample
from support.fakes import FakeTraining


def preview(qtbot: QtBot, panel: TrainPanel) -> Any:
    """Train until the preview is there, and stop: then it goes, as the model that is kept may answer otherwise."""
    panel.start()
    qtbot.waitUntil(lambda: panel.preview.layer is not None, timeout=10_000)
    layer = panel.preview.layer
    assert layer in panel.session.viewer.layers
    panel.stop.click()
    qtbot.waitUntil(lambda: panel.run.state is RunState.ENDED, timeout=10_000)
    assert layer not in panel.session.viewer.layers
    return layer


def finer(sample: Sample) -> Prediction:
    return Prediction(image=np.asarray(sample.image, np.float32).repeat(2, -1).repeat(2, -2), image_name="upscaled")


def test_denoised_image_is_shown_like_its_source(
    qtbot: QtBot, panel: TrainPanel, training: FakeTraining, nuclei: Any
) -> None:
    training.image = lambda sample: Prediction(image=np.asarray(sample.image, np.float32) / 2, image_name="denoised")
    panel.session.set_task("denoising")
    source = panel.session.viewer.add_image(
        nuclei, name="cells", scale=(2, 3), rotate=20, contrast_limits=(5, 99), colormap="green"
    )
    panel.session.learn_from([source])
    layer = preview(qtbot, panel)
    assert np.allclose(layer.data, nuclei / 2)
    assert (tuple(layer.contrast_limits), layer.colormap.name, layer.blending) == ((5, 99), "green", "translucent")
    assert np.allclose(layer.data_to_world((3, 4)), source.data_to_world((3, 4)))


def test_finer_preview_lies_on_its_image(qtbot: QtBot, panel: TrainPanel, training: FakeTraining, nuclei: Any) -> None:
    training.image = finer
    session = panel.session
    session.set_task("super-resolution")
    target = session.viewer.add_image(nuclei.repeat(2, 0).repeat(2, 1), name="fine")
    source = session.viewer.add_image(nuclei, name="coarse", scale=(2, 2), translate=(5, 7))
    session.pair(source, [target])
    session.viewer.layers.selection.active = target
    layer = preview(qtbot, panel)
    assert "coarse" in layer.name, "a target is looked at to see how its image will become"
    assert np.allclose(layer.data_to_world((-0.5, -0.5)), source.data_to_world((-0.5, -0.5)))
    assert np.allclose(layer.data_to_world((79.5, 95.5)), source.data_to_world((39.5, 47.5)))


def test_first_of_several_stains_is_shown_and_named(
    qtbot: QtBot, panel: TrainPanel, training: FakeTraining, nuclei: Any
) -> None:
    def stain(sample: Sample) -> Prediction:
        image = np.concatenate([np.asarray(sample.image, np.float32) * 40] * 2)
        return Prediction(image=image, image_name="predicted", channel_names=("GFP", "DAPI"))

    training.image = stain
    session = panel.session
    session.set_task("label-free")
    source, *targets = (session.viewer.add_image(nuclei, name=name) for name in ("phase", "GFP", "DAPI"))
    session.pair(source, targets)
    layer = preview(qtbot, panel)
    assert layer.name == "preview of GFP, 1 of 2 (phase)"
    assert (layer.colormap.name, layer.blending) == ("green", "additive")
    assert layer.contrast_limits[1] > 5000


def test_colours_stay_colours(qtbot: QtBot, panel: TrainPanel, training: FakeTraining) -> None:
    training.image = lambda sample: Prediction(image=np.asarray(sample.image, np.float32), image_name="denoised")
    data = np.random.default_rng(0).integers(0, 255, (40, 44, 3), np.uint8)
    panel.session.set_task("denoising")
    panel.session.learn_from([panel.session.viewer.add_image(data, rgb=True, name="slide")])
    layer = preview(qtbot, panel)
    assert layer.rgb
    assert np.array_equal(layer.data, data)


def test_preview_of_one_time_point(qtbot: QtBot, panel: TrainPanel, training: FakeTraining, nuclei: Any) -> None:
    training.image = lambda sample: Prediction(image=np.asarray(sample.image, np.float32), image_name="denoised")
    session = panel.session
    session.set_task("denoising")
    film = session.viewer.add_image(np.stack([nuclei, nuclei + 1, nuclei + 2]), name="film")
    session.set_axes(film, "TYX")
    session.learn_from([film])
    session.viewer.dims.set_point(0, 2)
    layer = preview(qtbot, panel)
    assert layer.data.shape == (1, *nuclei.shape)
    assert layer.translate[0] == 2
    assert np.array_equal(layer.data[0], nuclei + 2)


def test_preview_follows_to_another_image(qtbot: QtBot, panel: TrainPanel, training: FakeTraining, nuclei: Any) -> None:
    training.image = lambda sample: Prediction(image=np.asarray(sample.image, np.float32), image_name="denoised")
    session, viewer = panel.session, panel.session.viewer
    session.set_task("denoising")
    small = viewer.add_image(nuclei[:30], name="small", colormap="red")
    second = viewer.add_image(nuclei + 5, name="second", contrast_limits=(3, 77), colormap="green")
    first = viewer.add_image(nuclei, name="first")
    session.learn_from([first, second])
    panel.start()
    for image in (first, second, small):
        viewer.layers.selection.active = image
        qtbot.waitUntil(
            lambda image=image: panel.preview.layer is not None and image.name in panel.preview.layer.name,
            timeout=10_000,
        )
        layer = panel.preview.layer
        assert np.array_equal(layer.data, image.data)  # type: ignore[union-attr]
        assert (layer.colormap.name, tuple(layer.contrast_limits)) == (  # type: ignore[union-attr]
            image.colormap.name,
            tuple(image.contrast_limits),
        )
    panel.stop.click()
    qtbot.waitUntil(lambda: panel.run.state is RunState.ENDED, timeout=10_000)
