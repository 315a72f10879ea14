"""The napari plugin (graphical user interface): panels over the engine; only here Qt and napari are imported."""
