"""Output that nobody reads any more: a pipe that was closed (``| head``) or a terminal that is gone ends no work."""

import os
import sys
from typing import Any, TextIO

from microforge.errors import readable


class LastingStream:
    """A text stream that goes on, without a reader, where writing to the one it stands for fails."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)

    def write(self, text: str) -> int:
        """Write a text, also with names of files that are not UTF-8, or drop it where nobody reads."""
        try:
            return self._stream.write(readable(text))
        except OSError:
            self._read_no_more()
            return len(text)

    def flush(self) -> None:
        """Send what was written, or drop it where nobody reads."""
        try:
            self._stream.flush()
        except OSError:
            self._read_no_more()

    def _read_no_more(self) -> None:
        """Send all that follows to nowhere: also what is in the buffer, and what is flushed when the program ends."""
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, self._stream.fileno())
        os.close(nowhere)


def make_output_last() -> None:
    """Let standard output and standard error outlive their readers."""
    sys.stdout, sys.stderr = LastingStream(sys.stdout), LastingStream(sys.stderr)
