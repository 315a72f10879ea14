"""Which files `microforge train` needs; come here for its checks of folders."""

from microforge.training.history.repeat import TrainingFiles


def wrong_use(task: str, files: TrainingFiles) -> str:
    """Say what is wrong with the folders given for a task, in words; empty if nothing.

    Raises
    ------
    SettingsError
        If there is no such task.
    """
    from microforge.tasks import get_task

    return get_task(task).annotation.wrong_use(task, files.targets)
