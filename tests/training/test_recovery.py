"""Runs go on, or end in words with a good model, where memory is short, numbers are not finite, or a preview fails."""

import gc
import weakref
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

from microforge.config import TrainingConfig
from microforge.errors import OutOfMemoryError, TrainingDivergedError
from microforge.events import PreviewReady, RunAdvice, RunFinished, StepFinished, TrainingEvent
from microforge.io.model_file import load_model
from microforge.networks.unet import UNet
from microforge.tasks.instances.task import Instances
from microforge.training.checkpoint import load_checkpoint
from microforge.training.loop import train
from microforge.training.mailbox import Live
from support.discs import disc_sample
from support.runs import of_type

QUICK = TrainingConfig(device="cpu", steps=6, width=8, patch_size=32, batch_size=2)
FIELDS = [disc_sample(f"field {k}", seed=k) for k in range(3)]

Hook = Callable[[nn.Module, Any, Any], None]


def run(folder: Path, live: Live | None = None) -> Iterator[TrainingEvent]:
    return train(QUICK, FIELDS, (), folder, live)


@contextmanager
def hooked(hook: Hook) -> Iterator[None]:
    """Call a function after each module of each network."""
    handle = nn.modules.module.register_module_forward_hook(hook)
    try:
        yield
    finally:
        handle.remove()


def short_of_memory(times: int, error: Exception, alive: list[weakref.ref[torch.Tensor]] | None = None) -> Hook:
    """Give a hook that fails at the last layer of a network that trains, and notes all that was computed until then."""
    left = iter(range(times))

    def hook(module: nn.Module, _: object, output: torch.Tensor) -> None:
        if alive is not None and isinstance(output, torch.Tensor) and output.requires_grad:
            alive.append(weakref.ref(output))
        if isinstance(module, UNet) and module.training and next(left, None) is not None:
            # A new one each time: an error keeps, with its traceback, all that was computed.
            raise type(error)(*error.args)

    return hook


OUT_OF_MEMORY = [
    torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB"),
    MemoryError(),
    RuntimeError("[enforce fail at alloc_cpu.cpp] DefaultCPUAllocator: not enough memory: you tried to allocate"),
]


@pytest.mark.parametrize("error", OUT_OF_MEMORY, ids=["CUDA", "Python", "processor"])
def test_short_memory_makes_the_batch_then_the_patch_smaller(tmp_path: Path, error: Exception) -> None:
    with hooked(short_of_memory(2, error)):
        seen = list(run(tmp_path))
    texts = [advice.text for advice in of_type(seen, RunAdvice) if advice.code.startswith("memory")]
    assert texts[0] == "Memory was short: 1 instead of 2 patches a step."
    assert "(16, 16)" in texts[1]
    assert len(of_type(seen, StepFinished)) == QUICK.steps


def test_nothing_of_a_step_without_memory_is_alive_when_that_is_said(tmp_path: Path) -> None:
    alive: list[weakref.ref[torch.Tensor]] = []
    gc.disable()
    try:
        with hooked(short_of_memory(1, torch.OutOfMemoryError("CUDA out of memory"), alive)):
            for event in run(tmp_path):
                if isinstance(event, RunAdvice) and event.code.startswith("memory"):
                    left = [ref for ref in alive if ref() is not None]
                    break
    finally:
        gc.enable()
    assert len(alive) > 10
    assert left == []


def test_no_memory_at_all_ends_in_words(tmp_path: Path) -> None:
    with (
        hooked(short_of_memory(99, torch.OutOfMemoryError("CUDA out of memory"))),
        pytest.raises(OutOfMemoryError, match="smallest patch"),
    ):
        list(run(tmp_path))


def test_other_errors_of_the_network_are_not_taken_for_short_memory(tmp_path: Path) -> None:
    with hooked(short_of_memory(1, RuntimeError("shape mismatch"))), pytest.raises(RuntimeError, match="shape"):
        list(run(tmp_path))


class NotFinite(torch.autograd.Function):
    """Passes values on; their gradient is NaN."""

    @staticmethod
    def forward(_: Any, x: torch.Tensor) -> torch.Tensor:
        return x.clone()

    @staticmethod
    def backward(_: Any, gradient: torch.Tensor) -> torch.Tensor:
        return gradient * float("nan")


def spoilt(monkeypatch: pytest.MonkeyPatch, when: Callable[[int], bool], spoil: Callable[[Any], Any]) -> None:
    """Change what the task's loss makes of outputs, at some of the steps (from 0)."""
    real, steps = Instances.loss, iter(range(10_000))

    def loss(self: Instances, output: torch.Tensor, batch: Any) -> torch.Tensor:
        return real(self, spoil(output) if when(next(steps)) else output, batch)

    monkeypatch.setattr(Instances, "loss", loss)


def all_finite(parts: dict[str, torch.Tensor]) -> bool:
    return all(bool(torch.isfinite(weight).all()) for weight in parts.values())


def test_gradients_that_are_not_finite_reach_neither_model_nor_checkpoint(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    spoilt(monkeypatch, lambda step: step == 3, NotFinite.apply)
    seen = list(run(tmp_path))
    assert isinstance(seen[-1], RunFinished)
    assert [advice.text for advice in of_type(seen, RunAdvice) if advice.code == "skipped"] == [
        "Step 4 was left out, as nothing finite could be learnt from it."
    ]
    assert all_finite(dict(load_model(tmp_path / "model.safetensors").weights))
    checkpoint = load_checkpoint(tmp_path)
    assert all(all_finite(dict(checkpoint.part(name))) for name in ("network", "average", "optimiser"))


def test_gradients_that_are_never_finite_end_the_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    spoilt(monkeypatch, lambda step: step >= 3, NotFinite.apply)
    with pytest.raises(TrainingDivergedError, match="gradients") as caught:
        list(train(QUICK.model_copy(update={"steps": 60}), FIELDS, (), tmp_path))
    assert "field" in caught.value.where
    assert all_finite(dict(load_model(tmp_path / "model.safetensors").weights))


@pytest.mark.parametrize("factor", [float("nan"), float("inf")])
def test_a_loss_that_is_not_finite_ends_the_run_keeps_a_good_model_and_names_the_image(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, factor: float
) -> None:
    spoilt(monkeypatch, lambda step: step == 3, lambda output: output * factor)
    with pytest.raises(TrainingDivergedError) as caught:
        list(run(tmp_path))
    assert "field" in caught.value.where
    assert all_finite(dict(load_model(tmp_path / "model.safetensors").weights))


@pytest.mark.parametrize("error", [MemoryError(), ValueError("no hills"), OutOfMemoryError("No tile fits.")])
def test_a_preview_that_fails_is_said_once_and_training_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    def decode(*_: object) -> None:
        raise error

    live = Live()
    live.set_preview("view 1", FIELDS[0])
    monkeypatch.setattr(Instances, "decode", decode)
    monkeypatch.setattr("microforge.training.schedule.Repeated.due", lambda _: True)
    seen = list(run(tmp_path, live))
    assert not of_type(seen, PreviewReady)
    said = [advice.text for advice in of_type(seen, RunAdvice) if advice.code == "preview view 1"]
    assert len(said) == 1
    assert "Training goes on" in said[0]
    assert isinstance(seen[-1], RunFinished)
    assert len(of_type(seen, StepFinished)) == QUICK.steps
