"""The files of a run's folder besides model and checkpoint, and what becomes of those of a run before."""

import json
import os
from pathlib import Path

from microforge.errors import WriteError, readable
from microforge.training.history.run_folder import CHECKPOINT_NAMES, CONFIG_NAME, MODEL_NAME, TOLD_NAMES
from microforge.training.log import History
from microforge.training.setup import Setup

#: Where the files of the run before are, if a new one was begun in its folder.
REPLACED = "replaced"


def described(setup: Setup, command: str = "") -> str:
    """Give the settings of a run, who trains and who measures, and what repeats it, as JSON."""
    settings = {**setup.config.model_dump(mode="json"), "split": setup.split.model_dump(mode="json")}
    settings |= {"command": readable(command)} if command else {}
    return json.dumps(settings, indent=2)


def put_aside(folder: Path) -> None:
    """Move the files of an earlier run away, so that nobody takes them for this one's.

    Raises
    ------
    WriteError
        If they cannot be moved.
    """
    names = (*CHECKPOINT_NAMES, MODEL_NAME, CONFIG_NAME, History.NAME, *TOLD_NAMES)
    found = [folder / name for name in names if (folder / name).exists()]
    try:
        for path in found:
            (folder / REPLACED).mkdir(exist_ok=True)
            os.replace(path, folder / REPLACED / path.name)
    except OSError as error:
        raise WriteError(
            f"The files of the run before cannot be moved ({error.strerror or error}).",
            where=str(folder),
            remedy="Move them away yourself, or choose another name for the model.",
        ) from error
