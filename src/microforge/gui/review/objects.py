"""Review of objects: AP, F1, and a walk through what went wrong."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import partial

import numpy as np
from napari.layers import Image, Labels, Layer, Points

from microforge.axes.areas import mask_of
from microforge.errors import AnnotationError
from microforge.evaluation.doubtful import Contradiction, doubtful_annotations
from microforge.evaluation.object_errors import (
    FINDING_COLOURS,
    OVERLAPS,
    ObjectComparison,
    ObjectFinding,
    compare_objects,
    worst_first,
)
from microforge.gui.layers.brush_cursor import add_beside_brushes
from microforge.gui.layers.convert import geometry_of, labels_on
from microforge.gui.layers.layer_axes import axes_of
from microforge.gui.layers.marks import is_result, mark_result
from microforge.gui.layers.results import DETAILS, measurements_of
from microforge.gui.review.layer_comparison import LayerComparison
from microforge.gui.review.tables import FindingsTable
from microforge.gui.session.snapshot import snapshot_of
from microforge.gui.session.state import Session
from microforge.gui.widgets.basics import tick
from microforge.gui.widgets.canvas_view import look_at
from microforge.types import Array

FINDING_MARKS = "review marks"
_ONE_DOUBT = "Only the one it is sure of"
_DOUBTS_TIP = (
    "Where the network contradicts the annotation and is sure of it, the surest first: look whether the annotation is "
    "right. On images that it has learnt from it contradicts less often."
)
OBJECTS_NEEDED = "Needs two Labels layers of one image: what is true (your annotation) and what a model found."


@dataclass(frozen=True)
class Compared:
    """What differs, and of which differences the network is sure."""

    comparison: ObjectComparison
    doubtful: tuple[Contradiction, ...]


class ReviewPanel(LayerComparison):
    """Choose two Labels layers, compare them, go to what differs."""

    def __init__(self, session: Session) -> None:
        super().__init__(
            session,
            "The Labels layer that is right: your annotation.",
            "The Labels layer to judge: a result of a model.",
            "Match the objects of both layers and list what differs.",
            OBJECTS_NEEDED,
        )
        self._layers: dict[str, Labels] = {}
        self._axes = "YX"
        self.scores.setToolTip(
            "AP = found / (found + extra + missed); F1 = 2 found / (2 found + extra + missed). An object is found "
            "where the overlap with its partner (intersection over union) is at least the number in front."
        )
        self.table = FindingsTable()
        tip = "Put a ring around each: " + ", ".join(f"{k} {c}" for k, c in FINDING_COLOURS.items()) + "."
        self.marks = tick("Mark them in the image", tip, on=True)
        self.doubts = tick("", _DOUBTS_TIP)
        self._compared: Compared | None = None
        self.lay_out(self.doubts, self.table, self.marks)
        self.table.chosen.connect(self.go_to)
        self.marks.toggled.connect(self._on_marks)
        self.doubts.toggled.connect(self._show_findings)
        self.refresh()

    def refresh(self) -> None:
        """Offer the Labels layers there are."""
        labels = [layer for layer in self._session.viewer.layers if isinstance(layer, Labels)]
        drawn = [(layer.name, layer) for layer in labels if not is_result(layer)]
        found = [(layer.name, layer) for layer in labels if is_result(layer)]
        self.truth.set_choices(found + drawn)
        self.result.set_choices(drawn + found)
        if found and self.truth.value() is self.result.value():
            self.result.set_value(found[-1][1])
        self.allow(len(labels))

    def run(self) -> None:
        """Compare the chosen layers in the background."""
        truth, predicted = self.truth.value(), self.result.value()
        if self.begin(lambda: partial(_events, self._job(truth, predicted))):
            self._layers = {"truth": truth, "prediction": predicted}

    def go_to(self, finding: ObjectFinding) -> None:
        """Show an object in the middle of the view, on its plane and time point."""
        layer = self._layers[finding.where]
        viewer = self._session.viewer
        if layer not in viewer.layers:
            return
        look_at(viewer, layer, self._in_layer(finding.centre, layer))
        viewer.layers.selection.active = layer
        layer.selected_label = finding.label

    def _job(self, truth: Labels, predicted: Labels) -> "partial[Compared]":
        """Note what is to be compared now, so that painting meanwhile changes nothing.

        Raises
        ------
        AnnotationError
            If the layers do not lie on the same pixels.
        """
        if truth is predicted:
            raise AnnotationError("Truth and result are the same layer.", remedy="Choose two layers.")
        confidence = confidence_of(predicted)
        image = self._image_of(truth) or self._image_of(predicted)
        if image is None:
            if truth.data.shape != predicted.data.shape:
                raise AnnotationError(f"The layers differ in size: {truth.data.shape} and {predicted.data.shape}.")
            self._axes = "TZYX"[-truth.ndim :]
            arrays = np.array(truth.data), np.array(predicted.data)
            return partial(_compared, *arrays, None, confidence, series=truth.ndim == 4)
        axes = axes_of(image, self._session.axes_of(image))[0]
        data, self._axes = labels_on(truth, image, axes)
        other, _ = labels_on(predicted, image, axes)
        annotated = self._session.annotated_of(truth)
        return partial(
            _compared,
            self._ordered(data).copy(),
            self._ordered(other).copy(),
            self._mask(truth),
            confidence,
            series="T" in self._axes,
            partly=annotated is not None and annotated.unpainted != "background",
        )

    def _image_of(self, layer: Labels) -> Image | None:
        annotated = self._session.annotated_of(layer)
        source = layer.metadata.get(DETAILS, {}).get("source")
        images = self._session.images()
        return annotated.image if annotated else next((i for i in images if i.unique_id == source), None)

    def _mask(self, truth: Labels) -> Array | None:
        """Where the truth is complete; None = everywhere."""
        annotated = self._session.annotated_of(truth)
        if annotated is None or annotated.region is None:
            return None
        snapshot = snapshot_of(self._session, annotated, copy=False)
        return self._ordered(mask_of(snapshot.outlines, snapshot.shape)) if snapshot.outlines else None

    def _ordered(self, data: Array) -> Array:
        return data.transpose([self._axes.index(letter) for letter in "TZYX" if letter in self._axes])

    def _in_layer(self, centre: tuple[float, ...], layer: Labels) -> list[float]:
        """Give a position ``(T)(Z)YX`` in the order of the layer, with 0 along all else that the layer has."""
        ordered = [letter for letter in "TZYX" if letter in self._axes]
        image = self._image_of(layer)
        letters = self._axes if image is None else axes_of(image, self._session.axes_of(image))[0].removesuffix("S")
        own = letters[-layer.ndim :].rjust(layer.ndim)
        return [centre[ordered.index(letter)] if letter in ordered else 0.0 for letter in own]

    def show_found(self, event: Compared) -> None:
        """Show the figures, and the list of what differs."""
        self._compared, number = event, len(event.doubtful)
        self.note.say(_verdict(event.comparison), "info" if event.comparison.findings else "ok")
        self.scores.setText(_scores(event.comparison))
        self.scores.show()
        self.doubts.setText(f"Only the {number} it is sure of" if number > 1 else _ONE_DOUBT)
        self.doubts.setVisible(bool(number))
        self._show_findings()

    def _show_findings(self, _: bool = False) -> None:
        """List all that differs, or what the person who annotated may have got wrong."""
        if self._compared is None:
            return
        doubtful = [one.finding for one in self._compared.doubtful]
        only = self.doubts.isChecked() and bool(doubtful)
        findings = doubtful if only else worst_first(self._compared.comparison.findings)
        self.table.found.set_rows(findings)
        self.table.setVisible(bool(findings))
        self.marks.setVisible(bool(findings))
        self._on_marks(self.marks.isChecked())

    def _on_marks(self, wanted: bool) -> None:
        viewer, findings = self._session.viewer, self.table.found.findings
        known = next((layer for layer in viewer.layers if layer.metadata.get(FINDING_MARKS)), None)
        if known is not None:
            viewer.layers.remove(known)
        layer = self._layers.get("prediction")
        if wanted and findings and layer is not None and layer in viewer.layers:
            active = viewer.layers.selection.active
            add_beside_brushes(viewer, self._rings(findings, layer))
            viewer.layers.selection.active = active

    def _rings(self, findings: list[ObjectFinding], layer: Labels) -> Layer:
        flat = 2 if "Z" not in self._axes else 3
        rings = Points(
            np.array([self._in_layer(finding.centre, layer) for finding in findings]),
            name=FINDING_MARKS,
            size=np.array([4 + 1.5 * 2 * (finding.size / np.pi) ** (1 / flat) for finding in findings]),
            face_color="transparent",
            border_color=[FINDING_COLOURS[finding.kind] for finding in findings],
            border_width=0.04,
            features={"what": [finding.kind for finding in findings]},
            **geometry_of(layer, range(layer.ndim)),
        )
        mark_result(rings, FINDING_MARKS)
        rings.metadata[FINDING_MARKS] = True
        return rings


def confidence_of(layer: Labels) -> Mapping[tuple[int, int], float]:
    """Give how sure the network is of each object of a result, by time point and label; nothing where it is unknown."""
    table = measurements_of(layer) if is_result(layer) else {}
    if "confidence" not in table or "label" not in table:
        return {}
    frames = table.get("frame", np.zeros(len(table["label"])))
    rows = zip(frames.tolist(), table["label"].tolist(), table["confidence"].tolist(), strict=True)
    return {(int(frame), int(label)): float(sure) for frame, label, sure in rows}


def _events(job: "partial[Compared]") -> Iterator[Compared]:
    yield job()


def _compared(
    truth: Array,
    predicted: Array,
    mask: Array | None,
    confidence: Mapping[tuple[int, int], float],
    *,
    series: bool,
    partly: bool = False,
) -> Compared:
    """Compare two label images; where only some objects are painted, others that were found are no slips."""
    comparison = surely = compare_objects(truth, predicted, mask, series=series)
    if not confidence:
        return Compared(comparison, ())
    if partly:
        known = truth > 0 if mask is None else (truth > 0) | mask
        surely = compare_objects(truth, predicted, known, series=series)
    return Compared(comparison, doubtful_annotations(surely, confidence))


def _verdict(comparison: ObjectComparison) -> str:
    found = comparison.counts[0]
    return f"{found.hits} of {comparison.objects} objects found, {found.missed} missed or wrong, {found.extra} extra."


def _scores(comparison: ObjectComparison) -> str:
    """Give the figures as a small table."""
    cells = [["overlap", "AP", "F1", "found", "extra", "missed"]]
    cells += [
        [f"≥ {overlap}", f"{c.precision:.2f}", f"{c.f1:.2f}", str(c.hits), str(c.extra), str(c.missed)]
        for overlap, c in zip(OVERLAPS, comparison.counts, strict=True)
    ]
    lines = "".join(
        f"<tr>{''.join(f'<td align=right>{cell}&nbsp;&nbsp;</td>' for cell in line)}</tr>" for line in cells
    )
    return f"<table width='100%'>{lines}</table>"
