"""The benchmark for a GPU: it runs on a processor too, leaves nothing out, and tells what failed."""

import importlib
import json
import subprocess
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import torch

import microforge
from microforge.device import compute_dtype

BENCHMARKS = Path(__file__).parents[1] / "benchmarks"
PARTS = {"versions", "tasks", "waiting", "bare-loop", "memory", "precision"}


@pytest.fixture
def module(monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> ModuleType:
    """Give the module of the benchmark that a test names."""
    monkeypatch.syspath_prepend(BENCHMARKS)
    return importlib.import_module(request.param)


def run(*arguments: str) -> tuple[int, Any]:
    command = [sys.executable, str(BENCHMARKS / "gpu.py"), "--device", "cpu", *arguments]
    answer = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=False)
    (line,) = answer.stdout.splitlines()
    return answer.returncode, json.loads(line)


@pytest.mark.slow
def test_every_part_runs_on_a_processor() -> None:
    code, line = run("--quick")
    assert line["failures"] == {}
    assert code == 0
    parts = line["parts"]
    assert set(parts) == PARTS
    check_tasks(parts["tasks"])
    check_memory(parts["memory"])
    for one in parts["waiting"].values():
        assert one["idle_share"] is None
        assert one["reason"]
    for one in parts["bare-loop"].values():
        assert set(one["steps_per_second"]) == {"bare", "with_average", "batches_only", "own_loop"}
        assert one["own_over_bare"]["most"] > 0
    for task in ("restoration", "instances"):
        assert set(parts["precision"][task]) == {"exact float32", "float32", "bfloat16", "float16"}
        assert parts["precision"][task]["exact float32"]["output"]["most"] == 0


def check_tasks(found: Any) -> None:
    assert set(found) == {*microforge.available_tasks(), "instances 3D"}
    assert [name for name, one in found.items() if "left_out" in one] == []
    for one in found.values():
        assert one["steps"] >= 7
        assert one["beside_processor"]["float32"]["most"] == 0
    assert found["restoration"]["folder"]["files"] == 5


def check_memory(found: Any) -> None:
    assert "instead of 2 patches" in found["training, batch"]["said"][0]
    assert "instead of (128, 128) pixels" in found["training, patch"]["said"][0]
    assert found["prediction"]["tile"][1] < found["prediction"]["tile"][0]
    assert found["folder, tiles"]["tiles"][1] > found["folder, tiles"]["tiles"][0]
    assert found["folder, tiles"]["failed"] == 0
    assert found["folder, one tile"]["tiles"][0] == 1


@pytest.mark.parametrize("module", ["gpu"], indirect=True)
def test_a_part_that_fails_is_told_and_gives_exit_code_1(
    module: ModuleType, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def broken(_: object) -> dict[str, Any]:
        raise RuntimeError("the device is gone")

    monkeypatch.setitem(module.PARTS, "tasks", broken)
    assert module.main(["--device", "cpu", "--only", "tasks"]) == 1
    assert json.loads(capsys.readouterr().out)["failures"] == {"tasks": "RuntimeError: the device is gone"}


@pytest.mark.parametrize("module", ["gpu"], indirect=True)
def test_failures_are_found_wherever_they_are(module: ModuleType) -> None:
    tree = {"tasks": {"counting": {"failure": "dark"}, "denoising": {"steps": 3}}, "memory": {"failure": "full"}}
    assert dict(module.failures(tree)) == {"tasks / counting": "dark", "memory": "full"}


@pytest.mark.parametrize("module", ["gpu_speed"], indirect=True)
def test_work_on_several_streams_counts_once(module: ModuleType, tmp_path: Path) -> None:
    events = [
        {"cat": "kernel", "ts": 0, "dur": 10},
        {"cat": "kernel", "ts": 5, "dur": 10},
        {"cat": "kernel", "ts": 6, "dur": 2},
        {"cat": "gpu_memcpy", "ts": 20, "dur": 5},
        {"cat": "cuda_runtime", "ts": 0, "dur": 100},
        {"ph": "M", "name": "process_name"},
    ]
    (tmp_path / "trace.json").write_text(json.dumps({"traceEvents": events}))
    spans = module.read_spans(tmp_path / "trace.json")
    assert module.covered(spans["kernel"]) == pytest.approx(15e-6)
    shares = module.idle(spans, watched=50e-6, alone=40e-6)
    assert shares["idle_share"] == pytest.approx(0.5)
    assert shares["idle_share_profiled"] == pytest.approx(0.6)
    assert shares["copy_share"] == pytest.approx(5 / 40)
    assert module.per_step(spans, 3) == {"kernels_per_step": 1, "median_kernel_us": pytest.approx(10)}


@pytest.mark.parametrize("module", ["gpu_tools"], indirect=True)
def test_a_forced_number_type_is_used_and_taken_back(module: ModuleType) -> None:
    device = torch.device("cpu")
    with module.computing_in(torch.float16):
        assert microforge.device.compute_dtype(device) is torch.float16
    assert microforge.device.compute_dtype is compute_dtype
    with pytest.raises(module.WrongResultError, match="could not be forced"), module.computing_in(torch.float16):
        pass
