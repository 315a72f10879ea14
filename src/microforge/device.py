"""Choose the compute device (CUDA, MPS, CPU) and its precision, and say why no GPU is used."""

import platform
import shutil
import subprocess
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

import psutil

from microforge.config import DeviceName
from microforge.errors import SettingsError

if TYPE_CHECKING:
    import torch


@dataclass(frozen=True)
class DeviceReport:
    """What was found: the device, its name for people, and why no GPU is used where none is."""

    device: str
    title: str
    reason: str = ""
    remedy: str = ""


def choose_device(name: DeviceName = "auto") -> "torch.device":
    """Give the torch device for a name.

    Raises
    ------
    SettingsError
        If the device asked for by name does not work here.
    """
    import torch

    if name == "auto":
        return torch.device(describe_device().device)
    if name == "cuda" and not torch.cuda.is_available():
        report = describe_device()
        raise SettingsError("CUDA was asked for but does not work here.", remedy=report.reason + " " + report.remedy)
    if name == "mps" and not torch.backends.mps.is_available():
        raise SettingsError("The Apple GPU (mps) was asked for but does not work here.", remedy="Use --device auto.")
    return torch.device(name)


@cache
def describe_device() -> DeviceReport:
    """Find the best device that really computes; a GPU counts only after a small calculation on it."""
    import torch

    if torch.cuda.is_available():
        problem = _try("cuda")
        if not problem:
            return DeviceReport("cuda", torch.cuda.get_device_name(0))
        return _cpu(f"The GPU was found but failed: {problem}.", "Update the NVIDIA driver, then restart.")
    if torch.backends.mps.is_available() and not _try("mps"):
        return DeviceReport("mps", "Apple GPU")
    return _cpu(*_why_no_gpu(torch.version.cuda))


def _cpu(reason: str, remedy: str) -> DeviceReport:
    cores = psutil.cpu_count(logical=False) or psutil.cpu_count() or 1
    return DeviceReport("cpu", f"{platform.machine()} processor, {cores} cores", reason, remedy)


def _try(device: str) -> str:
    import torch

    try:
        torch.zeros(8, device=device).add_(1).sum().item()
    except (RuntimeError, AssertionError, NotImplementedError) as error:
        return str(error).splitlines()[0]
    return ""


def _why_no_gpu(torch_cuda: str | None) -> tuple[str, str]:
    """Tell apart: no NVIDIA card, a torch built without CUDA, a driver that is missing or too old."""
    card = _nvidia_card()
    if not card:
        return (
            "No NVIDIA or Apple GPU was found.",
            "Training runs on the processor; a GPU is about 20 times faster.",
        )
    if torch_cuda is None:
        return (
            f"{card} is there, but the installed PyTorch is built without CUDA.",
            "Install PyTorch for CUDA: see pytorch.org > Get started, choose your CUDA version.",
        )
    return (
        f"{card} is there, but PyTorch (CUDA {torch_cuda}) cannot use its driver.",
        "Install the current NVIDIA driver and restart the computer.",
    )


def _nvidia_card() -> str:
    if shutil.which("nvidia-smi") is None:
        return ""
    try:
        answer = subprocess.run(
            ["nvidia-smi", "--query-gpu=name", "--format=csv,noheader"],
            capture_output=True,
            text=True,
            timeout=10,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return "An NVIDIA GPU"
    return answer.stdout.splitlines()[0].strip() if answer.returncode == 0 and answer.stdout else ""


def free_memory(device: "torch.device") -> int:
    """Bytes that can be used on a device now."""
    import torch

    if device.type == "cuda":
        return int(torch.cuda.mem_get_info(device)[0])
    return int(psutil.virtual_memory().available)


def compute_dtype(device: "torch.device") -> "torch.dtype":
    """Precision of the network: bfloat16 where the device computes it natively (2-4 times faster), else float32."""
    import torch

    if device.type == "cuda":
        return torch.bfloat16 if torch.cuda.is_bf16_supported(including_emulation=False) else torch.float32
    # Other processors offer bfloat16 too, but emulate it, slower than float32.
    native = ("_is_avx512_bf16_supported", "_is_amx_tile_supported")
    if device.type == "cpu" and any(getattr(torch.cpu, name, bool)() for name in native):
        return torch.bfloat16
    return torch.float32


def release_memory(device: "torch.device") -> None:
    """Give memory that nobody uses back to the device, where PyTorch keeps it."""
    import torch

    if device.type == "cuda":
        torch.cuda.empty_cache()
    elif device.type == "mps":
        torch.mps.empty_cache()


def computing_in(device: "torch.device", dtype: "torch.dtype") -> AbstractContextManager[Any]:
    """Let convolutions inside compute in a type (autocast); nothing is changed for float32."""
    import torch

    return nullcontext() if dtype == torch.float32 else torch.autocast(device.type, dtype)


def full_precision(device: "torch.device") -> AbstractContextManager[Any]:
    """Let what is inside compute in the type of its inputs, within `computing_in` too."""
    import torch

    # torch knows no autocast for "meta", on which shapes are computed without values.
    return nullcontext() if device.type == "meta" else torch.autocast(device.type, enabled=False)


def is_out_of_memory(error: BaseException) -> bool:
    """Tell whether an error means that memory ran out, on any device."""
    import torch

    return isinstance(error, (torch.OutOfMemoryError, MemoryError)) or (
        isinstance(error, RuntimeError) and ("not enough memory" in str(error) or "out of memory" in str(error))
    )
