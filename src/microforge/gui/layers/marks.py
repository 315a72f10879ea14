"""Metadata flag on result and preview layers, so that no prediction is taken for training data."""

from napari.layers import Layer


def is_result(layer: Layer) -> bool:
    """Whether a layer was made by a model: a preview or a result, never something to train on."""
    return "microforge_result" in layer.metadata


def mark_result(layer: Layer, origin: str) -> None:
    """Say that a layer was made by a model, so that it is never offered as an input; `origin` names it."""
    layer.metadata["microforge_result"] = origin
