"""Small pictures of images, and the file they are kept in; come here when one is wrong, or made again and again."""

from microforge.io.thumbnails.making import read_thumbnail, thumbnail_of
from microforge.io.thumbnails.store import ThumbnailStore

__all__ = ["ThumbnailStore", "read_thumbnail", "thumbnail_of"]
