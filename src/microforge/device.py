"""Choose the compute device (CUDA, MPS, CPU) and its precision, and say why no GPU is used."""

import platform
import shutil
import subprocess
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psutil

from microforge.config import DeviceName
from microforge.errors import SettingsError
from microforge.memory import available_memory

if TYPE_CHECKING:
    import torch

#: Compute capability from which float16 is faster than float32.
FAST_FLOAT16 = (7, 0)


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
        If the device asked for by name does not exist here, or does not work.
    """
    import torch

    if name == "auto":
        return torch.device(describe_device().device)
    try:
        device = torch.device(name)
    except RuntimeError as error:
        raise SettingsError(f"There is no kind of device called {name}.", remedy="Use --device auto.") from error
    if device.type == "cuda":
        _refuse_missing_gpu(device)
    if device.type == "mps" and not torch.backends.mps.is_available():
        raise SettingsError("The Apple GPU (mps) was asked for but does not work here.", remedy="Use --device auto.")
    if device.type != "cpu" and (problem := _problem(name)):
        raise SettingsError(f"{name} was asked for but fails: {problem}.", remedy="Use --device auto.")
    return device


def _refuse_missing_gpu(device: "torch.device") -> None:
    import torch

    if not torch.cuda.is_available():
        report = _cpu(*_why_no_gpu(torch.version.cuda))
        raise SettingsError(
            f"{device} was asked for but does not work here.", remedy=f"{report.reason} {report.remedy}"
        )
    count = torch.cuda.device_count()
    if device.index is not None and device.index >= count:
        there = ", ".join(f"cuda:{index} ({torch.cuda.get_device_name(index)})" for index in range(count))
        raise SettingsError(f"There is no {device}: GPUs are counted from 0.", remedy=f"Use auto, or one of {there}.")


def device_choices() -> tuple[str, ...]:
    """Give the names to choose from, with the numbers of GPUs where there are several; asks neither torch nor a GPU."""
    folder = Path("/proc/driver/nvidia/gpus")
    count = len(list(folder.iterdir())) if folder.is_dir() else 0
    numbered = tuple(f"cuda:{index}" for index in range(count)) if count > 1 else ()
    return ("auto", "cpu", "cuda", *numbered, "mps")


def describe_device() -> DeviceReport:
    """Find the best device that really computes; of several GPUs the one with most free memory.

    A GPU counts only after it has done a small calculation of each kind that is needed.
    """
    import torch

    if torch.cuda.is_available():
        return _best_gpu()
    if torch.backends.mps.is_available():
        problem = _problem("mps")
        if problem:
            return _cpu(f"The Apple GPU was found but failed: {problem}.", "Update PyTorch (and macOS).")
        return DeviceReport("mps", "Apple GPU")
    return _cpu(*_why_no_gpu(torch.version.cuda))


def device_title(device: "torch.device") -> str:
    """Give the name of a device for people."""
    import torch

    if device.type == "cuda":
        return torch.cuda.get_device_name(device)
    return "Apple GPU" if device.type == "mps" else _cpu().title


def _best_gpu() -> DeviceReport:
    import torch

    count = torch.cuda.device_count()
    names = [f"cuda:{index}" for index in range(count)] if count > 1 else ["cuda"]
    problems = []
    for name in sorted(names, key=_free_on, reverse=True):
        title, problem = torch.cuda.get_device_name(torch.device(name)), _problem(name)
        if not problem:
            return DeviceReport(name, title)
        problems.append(f"{title} was found but failed: {problem}.")
    return _cpu(" ".join(problems), "Update the NVIDIA driver, then restart.")


def _free_on(name: str) -> int:
    import torch

    try:
        return free_memory(torch.device(name))
    except RuntimeError:
        return 0


def _cpu(reason: str = "", remedy: str = "") -> DeviceReport:
    cores = psutil.cpu_count(logical=False) or psutil.cpu_count() or 1
    return DeviceReport("cpu", f"{platform.machine()} processor, {cores} cores", reason, remedy)


@cache
def _problem(device: str) -> str:
    """Say why a device cannot be used, empty where it can; tried once."""
    import torch

    try:
        _try_operations(torch.device(device))
    except (RuntimeError, AssertionError) as error:
        return (str(error).splitlines() or [type(error).__name__])[0].rstrip(".")
    return ""


def _try_operations(device: "torch.device") -> None:
    """Do what networks and augmentation do, forwards and backwards, in images and stacks.

    Raises
    ------
    RuntimeError
        If an operation is missing on the device, or gives a wrong answer.
    """
    import torch
    from torch.nn import functional

    for dims, convolve, pool in (
        (2, functional.conv2d, functional.max_pool2d),
        (3, functional.conv3d, functional.max_pool3d),
    ):
        layout = torch.channels_last if dims == 2 else torch.channels_last_3d
        image = torch.ones(1, 2, *[8] * dims, device=device).contiguous(memory_format=layout).requires_grad_()
        kernel = torch.ones(2, 2, *[3] * dims, device=device)
        with computing_in(device, compute_dtype(device)):
            pooled = pool(convolve(image, kernel, padding=1), 2)
            answer = functional.interpolate(pooled, scale_factor=2.0, mode="nearest")
        answer.float().mean().backward()  # type: ignore[no-untyped-call]
        if answer.max().item() != 2 * 3**dims or image.grad is None or not image.grad.isfinite().all().item():
            raise RuntimeError(f"a convolution in {dims}D gives a wrong answer")
    plane = torch.ones(1, 1, 8, 8, device=device)
    grid = functional.affine_grid(torch.eye(2, 3, device=device)[None], [1, 1, 8, 8], align_corners=False)
    warped = functional.grid_sample(plane, grid, align_corners=False)
    finer = functional.interpolate(warped, scale_factor=2.0, mode="bicubic", align_corners=False)
    if abs(finer.mean().item() - 1) > 0.01:
        raise RuntimeError("interpolation gives a wrong answer")


@cache
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
    return available_memory()


def compute_dtype(device: "torch.device") -> "torch.dtype":
    """Precision in which a network answers: what the device computes natively, 2 to 4 times faster than float32.

    bfloat16 where there is such hardware, float16 on older GPUs with fast float16 (Volta and Turing), else float32.
    """
    import torch

    if device.type == "cuda":
        with torch.cuda.device(device):
            if torch.cuda.is_bf16_supported(including_emulation=False):
                return torch.bfloat16
        fast = torch.version.hip is None and torch.cuda.get_device_capability(device) >= FAST_FLOAT16
        return torch.float16 if fast else torch.float32
    # Other processors offer bfloat16 too, but emulate it, slower than float32.
    native = ("_is_avx512_bf16_supported", "_is_amx_tile_supported")
    if device.type == "cpu" and any(getattr(torch.cpu, name, bool)() for name in native):
        return torch.bfloat16
    return torch.float32


def training_dtype(device: "torch.device") -> "torch.dtype":
    """Precision in which a network learns: as it answers, but float32 for float16, in which small gradients are 0."""
    import torch

    dtype = compute_dtype(device)
    return torch.float32 if dtype == torch.float16 else dtype


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
