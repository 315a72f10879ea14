"""The tab Review: what is offered, compared, listed and gone to."""

from typing import Any

import numpy as np
import pytest

from microforge.gui.layers.results import add_results, layer_place
from microforge.gui.review.objects import FINDING_MARKS, ReviewPanel
from microforge.gui.session.state import Session
from microforge.gui.widgets.canvas_view import camera_of
from microforge.types import Prediction


@pytest.fixture
def panel(qtbot: Any, session: Session) -> ReviewPanel:
    panel = ReviewPanel(session)
    qtbot.addWidget(panel)
    panel.show()
    return panel


def boxes(*places: tuple[int, int], shape: tuple[int, ...] = (40, 40)) -> np.ndarray:
    labels = np.zeros(shape, np.int32)
    for number, (y, x) in enumerate(places):
        labels[..., y : y + 6, x : x + 6] = number + 1
    return labels


def predict(
    session: Session, image: Any, axes: str, labels: np.ndarray, confidence: tuple[float, ...] | None = None
) -> Any:
    place, columns = layer_place(image, axes), {}
    if confidence is not None:
        columns = {"label": np.arange(1, len(confidence) + 1), "confidence": np.array(confidence)}
    prediction = Prediction(labels=labels, measurements=columns)
    return add_results(session.viewer, place, prediction, {"model": "m", "settings": {}})[0]


def compare(qtbot: Any, panel: ReviewPanel) -> list[tuple[str, int]]:
    with qtbot.waitSignal(panel._relay.finished, timeout=5000):
        panel.run()
    return [(finding.kind, finding.label) for finding in panel.table.found.findings]


def test_says_what_it_needs(panel: ReviewPanel, session: Session) -> None:
    assert "two Labels layers" in panel.note.text()
    assert not panel.compare.isEnabled()
    session.viewer.add_labels(boxes((1, 1)))
    session.viewer.add_labels(boxes((1, 1)))
    assert panel.compare.isEnabled()
    assert panel.note.text() == ""


def test_annotation_is_the_truth_and_result_the_prediction(panel: ReviewPanel, session: Session) -> None:
    image = session.viewer.add_image(np.zeros((40, 40)), name="cells")
    drawn = session.viewer.add_labels(boxes((1, 1)), name="drawn")
    result = predict(session, image, "YX", boxes((1, 1)))
    assert panel.truth.value() is drawn
    assert panel.result.value() is result


def test_same_layer_is_refused(panel: ReviewPanel, session: Session) -> None:
    first = session.viewer.add_labels(boxes((1, 1)))
    session.viewer.add_labels(boxes((1, 1)))
    panel.truth.set_value(first)
    panel.result.set_value(first)
    panel.run()
    assert "same layer" in panel.note.text()


def test_other_size_is_refused(panel: ReviewPanel, session: Session) -> None:
    panel.truth.set_value(session.viewer.add_labels(boxes((1, 1))))
    other = session.viewer.add_labels(boxes((1, 1), shape=(50, 40)))
    panel.result.set_value(other)
    panel.truth.set_value(session.viewer.layers[0])
    panel.run()
    assert "differ in size" in panel.note.text()


def test_findings_are_listed_marked_and_shown(qtbot: Any, panel: ReviewPanel, session: Session) -> None:
    image = session.viewer.add_image(np.zeros((40, 40)), scale=(0.5, 0.5), translate=(10, 20))
    drawn = session.viewer.add_labels(boxes((2, 2), (20, 20)), name="drawn", scale=(0.5, 0.5), translate=(10, 20))
    session.annotate(image, drawn)
    result = predict(session, image, "YX", boxes((2, 2), (30, 5)))
    assert compare(qtbot, panel) == [("missed", 2), ("extra", 2)]
    assert "1 of 2 objects found" in panel.note.text()
    assert "0.33" in panel.scores.text()
    rings = session.viewer.layers[FINDING_MARKS]
    assert len(rings.data) == 2
    np.testing.assert_allclose(rings.data_to_world(rings.data[0]), (10 + 22.5 / 2, 20 + 22.5 / 2))
    panel.table.selectRow(0)
    np.testing.assert_allclose(camera_of(session.viewer).center[-2:], (10 + 22.5 / 2, 20 + 22.5 / 2))
    assert session.viewer.layers.selection.active is drawn
    assert drawn.selected_label == 2
    panel.table.selectRow(1)
    assert session.viewer.layers.selection.active is result
    panel.marks.setChecked(False)
    assert FINDING_MARKS not in session.viewer.layers
    panel.marks.setChecked(True)
    assert compare(qtbot, panel)
    assert len([layer for layer in session.viewer.layers if layer.name.startswith(FINDING_MARKS)]) == 1


def test_only_the_annotated_region_counts(qtbot: Any, panel: ReviewPanel, session: Session) -> None:
    image = session.viewer.add_image(np.zeros((40, 40)))
    item = session.annotate(image, session.viewer.add_labels(boxes((2, 2)), name="drawn"))
    region = session.viewer.add_shapes([np.array([[0, 0], [0, 15], [15, 15], [15, 0]])], shape_type="rectangle")
    session.set_region(item, region)
    predict(session, image, "YX", boxes((2, 2), (30, 30)))
    assert compare(qtbot, panel) == []
    assert panel.note.severity == "ok"
    assert not panel.table.isVisible()


def test_time_series_with_channels_between(qtbot: Any, panel: ReviewPanel, session: Session) -> None:
    image = session.viewer.add_image(np.zeros((3, 2, 40, 40)))
    session.set_axes(image, "TCYX")
    truth = boxes((2, 2), (20, 20), shape=(3, 40, 40))
    found = truth.copy()
    found[2][found[2] == 2] = 0
    predict(session, image, "TCYX", found)
    drawn = session.viewer.add_labels(np.repeat(truth[:, None], 2, axis=1), name="drawn")
    session.annotate(image, drawn)
    panel.truth.set_value(drawn)
    assert compare(qtbot, panel) == [("missed", 2)]
    panel.table.selectRow(0)
    assert session.viewer.dims.point[0] == 2
    np.testing.assert_allclose(camera_of(session.viewer).center[-2:], (22.5, 22.5))


def test_layer_that_is_gone_is_not_gone_to(qtbot: Any, panel: ReviewPanel, session: Session) -> None:
    session.viewer.add_labels(boxes((2, 2), (20, 20)), name="truth")
    session.viewer.add_labels(boxes((2, 2)), name="other")
    panel.truth.set_value(session.viewer.layers["truth"])
    panel.result.set_value(session.viewer.layers["other"])
    assert compare(qtbot, panel) == [("missed", 2)]
    session.viewer.layers.clear()
    panel.table.selectRow(0)


def test_doubtful_annotations_can_be_listed_alone(qtbot: Any, panel: ReviewPanel, session: Session) -> None:
    image = session.viewer.add_image(np.zeros((40, 40)))
    item = session.annotate(image, session.viewer.add_labels(boxes((2, 2)), name="drawn"))
    session.change(item, unpainted="background")
    result = predict(session, image, "YX", boxes((2, 2), (2, 20), (20, 20)), (0.9, 0.4, 0.95))
    assert compare(qtbot, panel) == [("extra", 2), ("extra", 3)]
    assert panel.doubts.text() == "Only the one it is sure of"
    panel.doubts.setChecked(True)
    assert [finding.label for finding in panel.table.found.findings] == [3]
    assert len(session.viewer.layers[FINDING_MARKS].data) == 1
    panel.table.selectRow(0)
    assert session.viewer.layers.selection.active is result
    assert result.selected_label == 3
    panel.doubts.setChecked(False)
    assert len(panel.table.found.findings) == 2


def test_what_is_found_beside_a_few_painted_objects_is_not_doubtful(
    qtbot: Any, panel: ReviewPanel, session: Session
) -> None:
    image = session.viewer.add_image(np.zeros((40, 40)))
    item = session.annotate(image, session.viewer.add_labels(boxes((2, 2), (20, 2)), name="drawn"))
    session.change(item, unpainted="around")
    found = np.zeros((40, 40), np.int32)
    found[2:8, 2:5], found[2:8, 5:8], found[2:8, 20:26] = 1, 2, 3
    predict(session, image, "YX", found, (0.9, 0.9, 0.95))
    assert ("extra", 3) in compare(qtbot, panel)
    panel.doubts.setChecked(True)
    assert [(finding.kind, finding.label) for finding in panel.table.found.findings] == [("split", 1)]


def test_a_result_without_confidence_gives_no_doubts(qtbot: Any, panel: ReviewPanel, session: Session) -> None:
    image = session.viewer.add_image(np.zeros((40, 40)))
    session.annotate(image, session.viewer.add_labels(boxes((2, 2)), name="drawn"))
    predict(session, image, "YX", boxes((2, 2), (20, 20)))
    assert compare(qtbot, panel) == [("extra", 2)]
    assert not panel.doubts.isVisible()


def test_every_kind_has_a_colour() -> None:
    from microforge.evaluation.object_errors import FINDING_COLOURS, FINDING_KINDS

    assert set(FINDING_COLOURS) == set(FINDING_KINDS)
