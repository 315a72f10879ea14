"""The models that a run had before: kept when it goes on, and taken back. Come here for `models/` in a run's folder.

``models/001.safetensors`` is the first that was followed by another, ``models/checkpoint.safetensors`` the state of the
newest of them, from which it could go on.
"""

import filecmp
import os
import re
import shutil
from contextlib import suppress
from pathlib import Path

from microforge.errors import MicroforgeError, WriteError
from microforge.io.atomic import atomic_path
from microforge.io.locking import folder_lock
from microforge.io.model_file import ModelCard, read_card
from microforge.tasks import get_task
from microforge.training.history.run_folder import CHECKPOINT_NAMES, MODEL_NAME, MODELS

#: So many of the models before are kept, and the best of all that were.
MOST_EARLIER = 10
_STATE, _PREVIOUS = CHECKPOINT_NAMES
_NUMBERED = re.compile(r"(\d{3,})\.safetensors")


def earlier_models(folder: Path) -> list[Path]:
    """Give the models that a run had before the one it has now, the oldest first."""
    try:
        found = [path for path in (folder / MODELS).iterdir() if _NUMBERED.fullmatch(path.name)]
    except OSError:
        return []
    return sorted(found, key=lambda path: int(path.stem))


def keep_model(folder: Path) -> Path | None:
    """Keep the model of a run, with the state it can go on from, before another replaces it.

    Returns
    -------
    Where it is kept; None where the run has no model yet. One that is kept already is not kept twice.

    Raises
    ------
    WriteError
        If it cannot be kept: the model is where it was.
    """
    model, kept = folder / MODEL_NAME, earlier_models(folder)
    if not model.is_file():
        return None
    same = next((path for path in reversed(kept) if _are_same(path, model)), None)
    if same is None:
        number = int(kept[-1].stem) + 1 if kept else 1
        same = folder / MODELS / f"{number:03d}.safetensors"
        try:
            same.parent.mkdir(exist_ok=True)
            _copy(model, same)
        except OSError as error:
            raise _unkept(folder, error) from error
    _keep_state(folder)
    _thin_out(folder, same)
    return same


def go_back(folder: Path, earlier: Path) -> Path:
    """Make an earlier model the run's own again; the one it has now is kept as an earlier one.

    Where `earlier` is the newest of those before, going on continues from it, too.

    Returns
    -------
    Where the model is kept that the run had until now: going back to that undoes it.

    Raises
    ------
    MicroforgeError
        If somebody works in the folder, or the disk does not do what is asked; both models are there then.
    """
    with folder_lock(folder, "a change of model"):
        newest = earlier == (earlier_models(folder) or [earlier])[-1]
        state, before = folder / _STATE, folder / MODELS / _STATE
        aside = folder / MODELS / "checkpoint-now.safetensors"
        try:
            # One that was killed in between may have left it: it belongs to neither model.
            aside.unlink(missing_ok=True)
            if newest and before.is_file() and state.is_file():
                os.replace(before, aside)
            now = keep_model(folder)
            _copy(earlier, folder / MODEL_NAME)
            if aside.is_file():
                os.replace(aside, state)
        except OSError as error:
            raise _unkept(folder, error) from error
    return now or earlier


def give_back(folder: Path, earlier: Path) -> None:
    """Undo what a run that went on has written: its model and state of before are there again."""
    _copy(earlier, folder / MODEL_NAME)
    (folder / _PREVIOUS).unlink(missing_ok=True)
    if (folder / MODELS / _STATE).is_file():
        _link(folder / MODELS / _STATE, folder / _STATE)


def _are_same(one: Path, other: Path) -> bool:
    try:
        return filecmp.cmp(one, other, shallow=False)
    except OSError:
        return False


def _keep_state(folder: Path) -> None:
    """Keep the state that belongs to the model just kept, or none: that of an older one would be taken for it."""
    kept = folder / MODELS / _STATE
    with suppress(OSError, WriteError):
        state = next((folder / name for name in CHECKPOINT_NAMES if (folder / name).is_file()), None)
        if state is None:
            kept.unlink(missing_ok=True)
        else:
            _link(state, kept)


def _copy(source: Path, target: Path) -> None:
    with atomic_path(target) as temporary:
        shutil.copy2(source, temporary)


def _link(source: Path, target: Path) -> None:
    """Give a state, which nobody writes in place, a second name; or copy it where the drive has no links."""
    with atomic_path(target) as temporary:
        try:
            os.link(source, temporary)
        except OSError:
            shutil.copy2(source, temporary)


def _thin_out(folder: Path, newest: Path) -> None:
    """Remove the oldest where there are too many, but never the best."""
    kept = earlier_models(folder)
    if len(kept) <= MOST_EARLIER:
        return
    best = max(kept, key=_goodness)
    for path in kept[:-MOST_EARLIER]:
        if path not in (best, newest):
            with suppress(OSError):
                path.unlink()


def _goodness(path: Path) -> float:
    """Give how good a model was on what was kept aside, the higher the better."""
    try:
        card = read_card(path)
        return monitored(card)
    except MicroforgeError:
        return float("-inf")


def monitored(card: ModelCard) -> float:
    """Give the figure that decides about a model, turned so that higher is better; -inf where it was not measured."""
    name, direction = get_task(card.task).monitor
    value = card.metrics.get(name)
    return float("-inf") if value is None else value if direction == "max" else -value


def _unkept(folder: Path, error: OSError) -> WriteError:
    return WriteError(
        f"The model of before cannot be kept ({error.strerror or error}).",
        where=str(folder),
        kept="The model is unchanged.",
        remedy="Free some space or check that you may write there, then try again.",
    )
