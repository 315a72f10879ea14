"""Results as files that Fiji, napari and Excel open, each written all or nothing."""

from microforge.io.writing.frames import Layout, as_type, open_image, stored_type
from microforge.io.writing.images import write_image, write_labels
from microforge.io.writing.label_bands import BandWindow, write_label_bands

__all__ = [
    "BandWindow",
    "Layout",
    "as_type",
    "open_image",
    "stored_type",
    "write_image",
    "write_label_bands",
    "write_labels",
]
