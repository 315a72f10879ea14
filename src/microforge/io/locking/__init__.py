"""One run at a time in a folder; come here for who holds one, and for what killed runs leave in it."""

from microforge.io.locking.lock import folder_lock, holder_of

__all__ = ["folder_lock", "holder_of"]
