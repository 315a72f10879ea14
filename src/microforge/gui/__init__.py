"""The napari plugin: panels over the engine; the only place that knows Qt and napari."""
