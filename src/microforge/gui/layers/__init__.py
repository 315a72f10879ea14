"""Conversion between napari layers and the engine's arrays, both ways; come here for how results look on the canvas."""
