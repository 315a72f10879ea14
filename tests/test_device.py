"""Which device is chosen and in which type it computes; GPUs are stood for, as none need be here."""

from collections.abc import Iterator
from contextlib import nullcontext

import pytest
import torch

from microforge import device as module
from microforge.config import PredictionConfig, TrainingConfig
from microforge.device import choose_device, compute_dtype, describe_device, training_dtype
from microforge.errors import SettingsError

GB = 1 << 30


@pytest.fixture(autouse=True)
def _fresh() -> Iterator[None]:
    """Forget what was tried: the answers are kept for the whole process."""
    module._problem.cache_clear()
    yield
    module._problem.cache_clear()


def with_gpus(monkeypatch: pytest.MonkeyPatch, free: list[int], failing: tuple[str, ...] = ()) -> None:
    """Let torch tell of GPUs with so many free bytes; the calculation that is tried on them is the processor's."""
    tried = module._try_operations

    def operations(device: torch.device) -> None:
        if str(device) in failing:
            raise RuntimeError("CUDA error: no kernel image is available for execution on the device\nmore")
        tried(torch.device("cpu"))

    def index(device: torch.device | int) -> int:
        return device if isinstance(device, int) else device.index or 0

    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: len(free))
    monkeypatch.setattr(torch.cuda, "get_device_name", lambda device: f"GPU {'ABCD'[index(device)]}")
    monkeypatch.setattr(torch.cuda, "mem_get_info", lambda device: (free[index(device)], 48 * GB))
    monkeypatch.setattr(module, "_try_operations", operations)


def test_all_operations_work_on_this_processor() -> None:
    assert module._problem("cpu") == ""


@pytest.mark.parametrize(
    ("place", "name"),
    [
        (torch.nn.functional, "conv3d"),
        (torch.nn.functional, "max_pool3d"),
        (torch.nn.functional, "grid_sample"),
    ],
)
def test_an_operation_that_is_missing_is_a_reason_not_to_use_a_device(
    monkeypatch: pytest.MonkeyPatch, place: object, name: str
) -> None:
    def missing(*_: object, **__: object) -> None:
        raise NotImplementedError(f"The operator 'aten::{name}' is not currently implemented for the MPS device.")

    monkeypatch.setattr(place, name, missing)
    assert name in module._problem("cpu")


def test_a_wrong_answer_is_a_reason_not_to_use_a_device(monkeypatch: pytest.MonkeyPatch) -> None:
    real = torch.nn.functional.conv3d
    monkeypatch.setattr(torch.nn.functional, "conv3d", lambda *a, **k: real(*a, **k) * 0)
    assert "3D" in module._problem("cpu")


def test_an_apple_gpu_that_cannot_compute_stacks_is_not_used_and_the_reason_is_said(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def missing(_: torch.device) -> None:
        raise NotImplementedError("The operator 'aten::max_pool3d_with_indices' is not implemented for MPS")

    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(module, "_try_operations", missing)
    report = describe_device()
    assert report.device == "cpu"
    assert "max_pool3d" in report.reason
    assert "Update PyTorch" in report.remedy
    with pytest.raises(SettingsError, match="max_pool3d"):
        choose_device("mps")


def test_of_several_gpus_the_one_with_most_free_memory_is_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    free = [2 * GB, 40 * GB, 30 * GB]
    with_gpus(monkeypatch, free)
    assert choose_device("auto") == torch.device("cuda:1")
    assert describe_device().title == "GPU B"
    free[1] = GB
    assert choose_device("auto") == torch.device("cuda:2")


def test_a_gpu_that_fails_is_passed_over(monkeypatch: pytest.MonkeyPatch) -> None:
    with_gpus(monkeypatch, [2 * GB, 40 * GB], failing=("cuda:1",))
    assert choose_device("auto") == torch.device("cuda:0")
    with pytest.raises(SettingsError, match="no kernel image"):
        choose_device("cuda:1")


def test_where_every_gpu_fails_the_processor_is_used_and_the_reason_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    with_gpus(monkeypatch, [2 * GB], failing=("cuda",))
    report = describe_device()
    assert report.device == "cpu"
    assert "GPU A was found but failed: CUDA error: no kernel image" in report.reason
    assert "\n" not in report.reason


def test_a_gpu_that_is_not_there_is_refused_with_those_that_are(monkeypatch: pytest.MonkeyPatch) -> None:
    with_gpus(monkeypatch, [2 * GB, 2 * GB])
    with pytest.raises(SettingsError, match=r"no cuda:2.*cuda:0 \(GPU A\), cuda:1 \(GPU B\)"):
        choose_device("cuda:2")


@pytest.mark.parametrize("name", ["cuda", "cuda:0", "mps"])
def test_a_gpu_of_another_machine_is_refused_with_a_remedy(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: False)
    with pytest.raises(SettingsError) as caught:
        choose_device(name)
    assert caught.value.remedy.strip()


@pytest.mark.parametrize("settings", [TrainingConfig, PredictionConfig])
@pytest.mark.parametrize(
    ("name", "is_known"),
    [("auto", True), ("cpu", True), ("cuda", True), ("cuda:3", True), ("mps", True)]
    + [(name, False) for name in ("gpu", "cuda:", "cuda:x", "cuda:-1", "CUDA", "cpu:1", "", "meta")],
)
def test_settings_hold_devices_only(
    settings: type[TrainingConfig | PredictionConfig], name: str, is_known: bool
) -> None:
    if is_known:
        assert settings(device=name).device == name
    else:
        with pytest.raises(ValueError, match="choose auto, cpu, cuda, cuda:1"):
            settings(device=name)


@pytest.mark.parametrize(
    ("capability", "bfloat16", "answers", "learns"),
    [
        ((8, 6), True, torch.bfloat16, torch.bfloat16),
        ((7, 5), False, torch.float16, torch.float32),
        ((7, 0), False, torch.float16, torch.float32),
        ((6, 1), False, torch.float32, torch.float32),
    ],
    ids=["Ampere", "Turing", "Volta", "Pascal"],
)
def test_precision_follows_the_kind_of_gpu(
    monkeypatch: pytest.MonkeyPatch,
    capability: tuple[int, int],
    bfloat16: bool,
    answers: torch.dtype,
    learns: torch.dtype,
) -> None:
    monkeypatch.setattr(torch.cuda, "device", lambda _: nullcontext())
    monkeypatch.setattr(torch.cuda, "is_bf16_supported", lambda **_: bfloat16)
    monkeypatch.setattr(torch.cuda, "get_device_capability", lambda _: capability)
    gpu = torch.device("cuda:1")
    assert compute_dtype(gpu) is answers
    assert training_dtype(gpu) is learns
