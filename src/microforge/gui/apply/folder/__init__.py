"""Batch prediction of files on disk, in the window; the prediction itself is in `microforge.inference.folder`."""
