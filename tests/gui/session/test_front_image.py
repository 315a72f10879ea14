"""One image at a time: what is annotated is seen, alone, and nobody paints on an image that another one covers."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from napari.layers import Image, Labels

from microforge.gui.layers.convert import add_labels, add_region
from microforge.gui.layers.results import add_results, layer_place
from microforge.gui.session.state import Session
from microforge.gui.session.watching.front_image import FrontImage, image_behind
from microforge.types import Prediction


@pytest.fixture
def front(session: Session) -> Iterator[FrontImage]:
    front = FrontImage(session)
    yield front
    front.close()


def opened(session: Session, *names: str) -> list[Image]:
    rng = np.random.default_rng(0)
    return [session.viewer.add_image(rng.integers(0, 255, (40, 48), np.uint8), name=name) for name in names]


def annotated(session: Session, image: Image) -> Labels:
    labels = add_labels(session.viewer, image, "YX")
    session.annotate(image, labels)
    return labels


def shown(session: Session) -> list[str]:
    return [layer.name for layer in session.viewer.layers if layer.visible]


def test_an_image_that_is_annotated_is_seen_alone_until_all_are_asked_for(session: Session, front: FrontImage) -> None:
    a3, _ = opened(session, "A3", "A4")
    annotated(session, a3)
    assert shown(session) == ["A3", "A3 annotation"]
    assert front.hides
    front.show_all()
    assert shown(session) == ["A3", "A4", "A3 annotation"]
    assert not front.hides


def test_going_on_with_another_image_shows_that_one_with_its_region_and_results(
    session: Session, front: FrontImage
) -> None:
    a3, a4 = opened(session, "A3", "A4")
    first = annotated(session, a3)
    annotated(session, a4)
    region = add_region(session.viewer, a4, "YX")
    session.change(session.annotated_of(a4), region=region)  # type: ignore[arg-type]
    found = Prediction(labels=np.ones((40, 48), np.int32), measurements={"label": np.array([1])})
    add_results(session.viewer, layer_place(a4, "YX"), found, {})
    session.viewer.layers.selection.active = first
    assert shown(session) == ["A3", "A3 annotation"]
    session.viewer.layers.selection.active = region
    assert sorted(shown(session)) == ["A4", "A4 (objects)", "A4 annotated region", "A4 annotation"]


def test_a_layer_that_she_hid_herself_stays_hidden(session: Session, front: FrontImage) -> None:
    a3, a4, other = opened(session, "A3", "A4", "other")
    other.visible = False
    annotated(session, a3)
    front.show_all()
    assert not other.visible
    assert a4.visible


def test_the_image_meant_follows_what_is_selected(session: Session, front: FrontImage) -> None:
    a3, a4 = opened(session, "A3", "A4")
    meant: list[Any] = []
    front.changed.connect(meant.append)
    session.viewer.layers.selection.active = a3
    assert meant[-1] is a3
    assert shown(session) == ["A3", "A4"], "nothing is hidden before something is annotated"
    labels = annotated(session, a3)
    session.viewer.layers.selection.active = a4
    assert meant[-1] is a4
    assert shown(session) == ["A4"]
    session.viewer.layers.selection.active = labels
    assert meant[-1] is a3
    (result,) = add_results(session.viewer, layer_place(a4, "YX"), Prediction(labels=np.ones((40, 48), np.int32)), {})
    assert image_behind(session, result) is a4


@pytest.mark.parametrize("how", ["opened", "shown"])
def test_the_brush_is_put_down_where_another_image_covers_the_one_annotated(
    session: Session, front: FrontImage, how: str
) -> None:
    said: list[str] = []
    session.message.connect(lambda text, _: said.append(text))
    a3, a4 = opened(session, "A3", "A4")
    labels = annotated(session, a3)
    assert labels.mode == "paint"
    if how == "shown":
        a4.visible = True
    else:
        session.viewer.add_image(np.zeros((40, 48)), name="new")
        session.viewer.layers.selection.active = labels
        session.viewer.layers["new"].visible = True
    assert labels.mode == "pan_zoom"
    assert "lies over A3" in said[-1]
    labels.mode = "paint"
    assert labels.mode == "pan_zoom", "as long as it is covered"


def test_a_channel_that_is_added_to_the_picture_covers_nothing(session: Session, front: FrontImage) -> None:
    nuclei, _ = opened(session, "nuclei", "membrane")
    labels = annotated(session, nuclei)
    session.viewer.layers["membrane"].blending = "additive"
    session.viewer.layers["membrane"].visible = True
    assert labels.mode == "paint"
