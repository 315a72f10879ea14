"""Compare images with the truth."""

import numpy as np
import pytest
from pytestqt.qtbot import QtBot

from microforge.gui.layers.marks import mark_result
from microforge.gui.layers.results import DETAILS
from microforge.gui.review.images import ImageReview
from microforge.gui.review.objects import ReviewPanel
from microforge.gui.review.panel import ReviewTab
from microforge.gui.session.state import Session
from microforge.tasks import get_task
from microforge.types import Prediction, Sample


@pytest.fixture
def review(qtbot: QtBot, session: Session) -> ImageReview:
    review = ImageReview(session)
    qtbot.addWidget(review)
    return review


def truth(*shape: int) -> np.ndarray:
    return np.random.default_rng(0).gamma(2.0, 100.0, shape).astype(np.float32)


def compare(qtbot: QtBot, review: ImageReview) -> str:
    with qtbot.waitSignal(review._relay.finished, timeout=10_000):
        review.compare.click()
    return review.scores.text()


def test_result_beside_its_original(qtbot: QtBot, session: Session, review: ImageReview) -> None:
    assert not review.compare.isEnabled()
    clean, rng = truth(40, 50), np.random.default_rng(1)
    noisy = session.viewer.add_image(clean + rng.normal(0, 50, clean.shape), name="noisy")
    right = session.viewer.add_image(clean * 3 + 100, name="clean")
    result = session.viewer.add_image(clean + rng.normal(0, 5, clean.shape), name="noisy denoised")
    mark_result(result, "model")
    result.metadata[DETAILS] = {"source": noisy.unique_id}
    assert (review.truth.value(), review.result.value()) == (right, result), "chosen as they are likely meant"
    text = compare(qtbot, review)
    assert "original" in text
    assert text.count("dB") == 4
    assert not review.explained.isHidden()


def test_figures_are_those_of_evaluate(qtbot: QtBot, session: Session, review: ImageReview) -> None:
    """Whatever is not a number, in channels and time points alike."""
    clean = truth(2, 3, 40, 50)
    made = clean * 0.7 + np.random.default_rng(1).normal(0, 30, clean.shape).astype(np.float32)
    clean[0, 1, 5:9, 5:9] = np.nan
    made[1, 0, 20, 20:30] = np.inf
    task = get_task("restoration").from_options({"channels": 3})
    tallies = [task.tally(Prediction(image=b), Sample("a", b, a)) for a, b in zip(clean, made, strict=True)]
    wanted = task.summarise_all(tallies)
    for name, data in (("clean", clean), ("made", made)):
        session.viewer.add_image(data, name=name, metadata={"axes": "TCYX"}, contrast_limits=(0, 1))
    text = compare(qtbot, review)
    for name in ("PSNR", "PSNR after linear fit", "SSIM after linear fit"):
        digits = 1 if name.startswith("PSNR") else 3
        assert f"<td>{name}&nbsp;&nbsp;</td><td align=right>&nbsp;&nbsp;{wanted[name]:.{digits}f}" in text


def test_sizes_must_agree(session: Session, review: ImageReview) -> None:
    for shape in ((40, 50), (20, 25)):
        session.viewer.add_image(truth(*shape))
    review.truth.set_value(session.viewer.layers[0])
    review.result.set_value(session.viewer.layers[1])
    review.compare.click()
    assert "40 × 50 and 20 × 25" in review.note.text()
    review.result.set_value(session.viewer.layers[0])
    review.run()
    assert "same layer" in review.note.text()


def test_nothing_in_common_is_said(qtbot: QtBot, session: Session, review: ImageReview) -> None:
    for data in (truth(20, 20), np.full((20, 20), np.nan, np.float32)):
        session.viewer.add_image(data, contrast_limits=(0, 1))
    with qtbot.waitSignal(review._relay.finished):
        review.run()
    assert "No pixel" in review.note.text()


def test_review_follows_the_task(qtbot: QtBot, session: Session) -> None:
    tab = ReviewTab(session)
    qtbot.addWidget(tab)
    tab.show()
    assert tab.part(ReviewPanel).isVisible()
    session.set_task("restoration")
    assert (tab.part(ReviewPanel).isVisible(), tab.part(ImageReview).isVisible()) == (False, True)
    tab.what.set_value(tab.part(ReviewPanel))
    session.set_config(seed=3)
    assert tab.part(ReviewPanel).isVisible(), "chosen by hand, kept until another task is chosen"
    session.set_task("instances")
    assert tab.part(ReviewPanel).isVisible()
