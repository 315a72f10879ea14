"""Errors that tell a biologist what is wrong, where, what was kept, and what to do next.

None is a RuntimeError: generator workers of Qt swallow those.
"""

import re

#: Signs that end lines, steer terminals, turn text round, or are bytes and no text.
_UNPRINTABLE = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]")


def readable(text: str) -> str:
    r"""Give a text that can be shown and written anywhere.

    Names of files need not be UTF-8, on drives mounted with another encoding: their odd bytes become ``\\xff``.
    """
    return text.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")


def printable(text: str) -> str:
    r"""Give a text on one line that changes nothing else on a terminal: signs that steer one become ``\\x1b``."""
    return _UNPRINTABLE.sub(lambda found: found[0].encode("unicode_escape").decode(), readable(text))


def printable_lines(text: str) -> str:
    """Give a text of one line or more, each `printable`."""
    return "\n".join(map(printable, text.split("\n")))


class MicroforgeError(Exception):
    """Base of every error this project raises on purpose.

    Parameters
    ----------
    problem
        What is wrong, in a sentence.
    where
        The file, layer or column concerned.
    kept
        What is safe all the same ("the model of step 1,200 is in ...").
    remedy
        What to do next.
    """

    def __init__(self, problem: str, *, where: str = "", kept: str = "", remedy: str = "") -> None:
        problem, where, kept, remedy = (printable_lines(part) for part in (problem, where, kept, remedy))
        self.problem, self.where, self.kept, self.remedy = problem, where, kept, remedy
        super().__init__(problem, where, kept, remedy)

    def __str__(self) -> str:
        """Give all parts as one text."""
        head = f"{self.where}: {self.problem}" if self.where else self.problem
        return " ".join(part for part in (head, self.kept, self.remedy) if part)


class ImageReadError(MicroforgeError):
    """A file is missing, unreadable, truncated or of a kind not supported."""


class AxesError(MicroforgeError):
    """The axes of an array are unknown, or do not fit its shape or the model."""


class AnnotationError(MicroforgeError):
    """An annotation cannot be used: wrong shape, dtype or content."""


class PairingError(MicroforgeError):
    """Images and annotations cannot be paired."""


class NotEnoughDataError(MicroforgeError):
    """There is too little to train on."""


class ModelFileError(MicroforgeError):
    """A model file is missing, damaged, or newer than this version understands."""


class ModelMismatchError(MicroforgeError):
    """A model does not fit the image or the settings it is given."""


class SettingsError(MicroforgeError):
    """A setting has a value that cannot work."""


class TrainingDivergedError(MicroforgeError):
    """The loss became NaN or infinite; the last good weights are kept."""


class OutOfMemoryError(MicroforgeError):
    """Memory ran out even with the smallest patch or tile."""


class WriteError(MicroforgeError):
    """A result could not be written; nothing on disk was replaced."""


class FolderInUseError(MicroforgeError):
    """Another run works in a folder; nothing was changed."""


class ProjectError(MicroforgeError):
    """A project cannot be opened, read or changed; says what was kept."""
