"""Sliders on a result of 1,024 x 1,024 pixels: time to read it again, and how the window stands still; one JSON line.

    xvfb-run -a -s "-screen 0 1600x1000x24" python benchmarks/redecode.py [--moves 20]

What the network would answer is made from simulated nuclei with noise, as only what comes after it is measured:
decoding and measuring without a window, then the same in the real window, from the move of a slider to the new result
in the image. The slider of each option is moved in turn. A timer that should fire every 5 ms measures the window, in
time that passed and in time that its thread computed; the same is measured while the canvas is only zoomed.
"""

import argparse
import json
import tempfile
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import napari
import numpy as np
from gui_fluency import Heartbeat, live
from scipy import ndimage

from microforge.config import NetworkConfig, PredictionConfig
from microforge.events import TileFinished
from microforge.gui.dock import MicroforgeDock
from microforge.inference.open_images import OpenImage, OpenImagePredicted, decode_again, predict_open_images
from microforge.inference.redecode import KeptOutputs
from microforge.io.model_file import ModelCard, save_model
from microforge.networks.unet import UNet
from microforge.simulate import simulate_nuclei
from microforge.tasks import get_task
from microforge.tasks.instances.task import Instances
from microforge.types import Image, Prediction, Sample

SIDE = 1024
#: What the options are changed to, one after the other.
MOVES = [
    {"smallest": 60},
    {"confidence": 0.5},
    {"merging": 0.4},
    {"probability": 0.5},
    {"smallest": 5},
    {"confidence": 0.3},
    {"merging": 0.25},
    {"probability": 0.35},
]


class CountedHeartbeat(Heartbeat):
    """Also how long the thread of the window computed between two beats."""

    def __init__(self) -> None:
        self.computed: list[float] = []
        self.cpu = time.thread_time()
        super().__init__()

    def _beat(self) -> None:
        super()._beat()
        now = time.thread_time()
        self.computed.append(now - self.cpu)
        self.cpu = now

    def summary(self) -> dict[str, float]:
        """Give milliseconds."""
        computed, self.computed = np.array(self.computed) * 1e3, []
        return super().summary() | {"longest_computed_ms": round(float(computed.max()), 1)}


class Answering:
    """Stands in for a network that has seen the nuclei."""

    def __init__(self, answer: np.ndarray, _model: Path, config: PredictionConfig) -> None:
        self.task = get_task("instances").from_options(config.task_options)
        self.keeps: KeptOutputs | None = None
        self._answer = answer

    def run_image(self, _image: Image) -> Iterator[TileFinished | Prediction]:
        """Give the answer decoded."""
        if self.keeps is not None:
            self.keeps.add(self._answer, lambda answer, task: task.decode(answer))
        yield self.task.decode(self._answer)


def answer_for(labels: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Give ``(inside, depth)`` with errors that are smooth, as a network's are."""
    exact = np.asarray(Instances().encode(Sample("nuclei", labels[None], labels)).value)
    noise = ndimage.gaussian_filter(rng.normal(0, 0.5, exact.shape), (0, 1.5, 1.5))
    return np.clip(ndimage.gaussian_filter(exact, (0, 1, 1)) + noise, 0, 1).astype(np.float32)


def without_window(make: Any, image: Image, moves: int) -> dict[str, float]:
    """Give seconds to decode and measure again."""
    *_, event = predict_open_images(Path(), [OpenImage(image, None)], PredictionConfig(), make)
    assert isinstance(event, OpenImagePredicted)
    seconds = []
    for move in range(moves):
        begun = time.perf_counter()
        again = decode_again(event, MOVES[move % len(MOVES)])
        seconds.append(time.perf_counter() - begun)
    return {
        "objects": len(again.prediction.measurements["label"]),
        "median_s": round(float(np.median(seconds)), 3),
        "longest_s": round(max(seconds), 3),
    }


def in_window(make: Any, image: Image, moves: int, work: Path) -> dict[str, Any]:
    """Give seconds from the move of a slider to the new result, and the gaps of the window meanwhile."""
    viewer = napari.Viewer(show=True)
    _, dock = viewer.window.add_plugin_dock_widget("napari-microforge", "Microforge")
    assert isinstance(dock, MicroforgeDock)
    live(60, lambda: not dock.session.warming.running)
    network = NetworkConfig(width=8, out_channels=2)
    save_model(work / "nuclei.safetensors", UNet(network).state_dict(), ModelCard(task="instances", network=network))
    dock.session.set_model(work / "nuclei.safetensors")
    viewer.add_image(image.data, name=image.name, scale=(0.3, 0.3), units=("um", "um"))
    dock.tabs.setCurrentWidget(
        dock.tabs.widget([dock.tabs.tabText(i) for i in range(dock.tabs.count())].index("Apply"))
    )
    layers = dock.apply.layers
    layers._make = make
    layers.apply()
    live(60, lambda: not dock.session.applying.running)
    live(2)
    heartbeat = CountedHeartbeat()
    camera = viewer.scene.camera if hasattr(viewer, "scene") else viewer.camera
    for step in range(moves):
        camera.zoom *= 0.98 if step % 2 else 1 / 0.98
        live(0.3)
    zoomed, seconds = heartbeat.summary(), []
    fields = layers.decoding.sliders._form.fields  # noqa: SLF001
    seen: list[Any] = []
    layers.decoding.decoded.connect(seen.append)
    for move in range(moves):
        seen.clear()
        [(name, value)] = MOVES[move % len(MOVES)].items()
        fields[name].widget.value = value
        seconds.append(live(10, lambda: bool(seen)))
        live(0.3)
    moved = heartbeat.summary()
    viewer.close()
    return {
        "median_s": round(float(np.median(seconds)), 3),
        "longest_s": round(max(seconds), 3),
        "window_while_zooming": zoomed,
        "window_while_moving": moved,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--moves", type=int, default=20)
    moves = parser.parse_args().moves
    field = simulate_nuclei((SIDE, SIDE), seed=1)
    make = partial(Answering, answer_for(field.labels, np.random.default_rng(0)))
    image = Image("nuclei", field.image, "YX", (0.3, 0.3))
    with tempfile.TemporaryDirectory() as work:
        line = {
            "benchmark": "redecode",
            "pixels": SIDE * SIDE,
            "without_window": without_window(make, image, moves),
            "in_window": in_window(make, image, moves, Path(work)),
        }
    print(json.dumps(line))


if __name__ == "__main__":
    main()
