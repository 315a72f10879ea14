"""The napari dock; all state lives in the session."""
