"""Who works in a folder; come here for how a process is known again, also on another machine."""

import os
import secrets
import socket
from dataclasses import dataclass
from datetime import datetime
from getpass import getuser

import psutil

#: Process starts are read with some error: the clock of the system may be set.
_SAME_START = 2.0


@dataclass(frozen=True)
class Holder:
    """Who works in a folder: user, machine, process id and its start (seconds since 1970), what it does, since when."""

    user: str
    machine: str
    process: int
    started: float
    task: str
    since: str
    token: str

    def __str__(self) -> str:
        """Say it in words."""
        return f"{self.task} by {self.user} on {self.machine.split()[0]} (process {self.process}, since {self.since})"


def this_process(task: str) -> Holder:
    """Give the holder of a lock that this process takes."""
    process = psutil.Process()
    now = datetime.now().astimezone().strftime("%Y-%m-%d %H:%M")
    return Holder(_user(), this_machine(), process.pid, process.create_time(), task, now, secrets.token_hex(8))


def _user() -> str:
    try:
        return getuser()
    except (OSError, KeyError, ImportError):
        return "somebody"


def this_machine() -> str:
    """Name the machine; containers that share a name do not share their processes, so that these are told apart."""
    try:
        room = os.readlink("/proc/self/ns/pid")
    except OSError:
        return socket.gethostname()
    return f"{socket.gethostname()} {room.removeprefix('pid:')}"


def is_running(holder: Holder) -> bool:
    """Tell whether a process of this machine is still there, and not another one of its number."""
    try:
        process = psutil.Process(holder.process)
        started = float(process.create_time())
        return process.status() != psutil.STATUS_ZOMBIE and abs(started - holder.started) < _SAME_START
    except psutil.NoSuchProcess:
        return False
    except (psutil.Error, ValueError, TypeError, OverflowError):
        return True
