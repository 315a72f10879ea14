"""Between napari's layers and the engine's values, both ways: come here for how results look on the canvas."""
