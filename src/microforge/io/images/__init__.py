"""Images and label images from files of any kind: come here when a file is misread, or to read another format.

`reading` finds out what a file is; one module for each family of formats reads it.
"""

from microforge.io.images.limits import decoded_bytes
from microforge.io.images.reading import read_image, read_labels
from microforge.io.images.tiff import let_go

__all__ = ["decoded_bytes", "let_go", "read_image", "read_labels"]
