"""`microforge demo`: train, predict a folder, score, draw: the whole main job on small images, without a screen."""

import json
from importlib.util import find_spec
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import numpy.typing as npt
import typer

import microforge
from microforge.cli.options import DeviceOption, JsonOption, make_folder
from microforge.config import PredictionConfig, TrainingConfig
from microforge.errors import MicroforgeError, SettingsError
from microforge.io.atomic import atomic_path
from microforge.training.history.repeat import TrainingFiles
from microforge.types import Array, Prediction

_TRUTH, _FOUND = (255, 200, 0), (0, 220, 255)
_SHOWN = 3
_GAP = 4
_MADE = {
    "nuclei.safetensors": "the model",
    "nuclei.run/": "its training: log and checkpoint",
    "results/": "label images, objects.csv, images.csv",
    "overview.png": "image | truth | found",
}


def demo(
    output: Annotated[Path, typer.Option("--output", "-o", help="Folder for everything the demo makes.")] = Path(
        "demo"
    ),
    seconds: Annotated[float, typer.Option("--time", min=1, help="Seconds of training.")] = 60,
    device: DeviceOption = "auto",
    gui: Annotated[bool, typer.Option("--gui", help="Show the result as layers in napari.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Do the whole main job on small images: train, predict a folder, score it, draw an overview."""
    from microforge.cli.commands.predict import exit_code, show_folder
    from microforge.cli.commands.train import train_model
    from microforge.evaluation.evaluate import evaluate
    from microforge.inference.folder.run import predict_folder

    if gui and find_spec("napari") is None:
        # Better told now than after a minute of training.
        raise SettingsError("napari is not installed.", remedy='Install it: pip install "napari-microforge[all]".')
    make_folder(output)
    data = find_samples(output / "data")
    model, results, picture = output / "nuclei.safetensors", output / "results", output / "overview.png"
    test_images, test_labels = data / "test_images", data / "test_labels"
    typer.echo(f"1. Training {seconds:.0f} s on {data / 'images'}", err=True)
    config = TrainingConfig(task="instances", device=device)
    train_model(config, TrainingFiles(data / "images", (data / "labels",)), model, seconds)
    typer.echo(f"2. Predicting {test_images}", err=True)
    applied = PredictionConfig(device=device)
    summary = show_folder(predict_folder(model, [test_images], results, config=applied))
    typer.echo("3. Comparing with the truth", err=True)
    metrics = evaluate(model, test_images, test_labels, config=applied)["metrics"]
    draw_overview(test_images, test_labels, results, picture)
    if as_json:
        typer.echo(json.dumps({"metrics": metrics, "objects": summary["objects"], "picture": str(picture)}))
    else:
        _tell(output, metrics)
    if gui:
        _show(test_images, results)
    if code := exit_code(summary):
        raise typer.Exit(code)


def find_samples(place: Path) -> Path:
    """Give the folder of small images: that of the source checkout, or else one made by the simulator in `place`."""
    checkout = Path(microforge.__file__).resolve().parents[2] / "sample_data" / "nuclei"
    if (checkout / "images").is_dir():
        return checkout
    from microforge.simulate import write_samples

    write_samples(place)
    return place / "nuclei"


def draw_overview(images: Path, labels: Path, results: Path, picture: Path) -> None:
    """Draw the first images in rows: as recorded, with the true outlines, with those that were found."""
    import imageio.v3 as imageio

    from microforge.io.images import read_image, read_labels
    from microforge.io.pairing import pair_folders

    rows = []
    for pair in pair_folders(images, labels).pairs[:_SHOWN]:
        if pair.annotation is None:
            continue
        grey = _grey(np.asarray(read_image(pair.image).data))
        truth, found = read_labels(pair.annotation), read_labels(results / f"{pair.name}.tif")
        drawn = [_outlined(grey, one.data, colour) for one, colour in ((truth, _TRUTH), (found, _FOUND))]
        rows.append(np.hstack([_framed(panel) for panel in (grey, *drawn)]))
    if not rows:
        raise MicroforgeError("There is no image to draw.", where=str(images))
    height = min(len(row) for row in rows)
    width = min(row.shape[1] for row in rows)
    with atomic_path(picture) as path:
        imageio.imwrite(path, np.vstack([row[:height, :width] for row in rows]))


def _grey(image: Array) -> npt.NDArray[np.uint8]:
    """Give an image YX as RGB between its darkest and (nearly) brightest pixels."""
    low, high = np.percentile(image, (0.5, 99.7))
    scaled = np.clip((image - low) / max(high - low, 1e-9), 0, 1)
    return np.repeat((255 * np.sqrt(scaled)).astype(np.uint8)[..., None], 3, axis=2)


def _outlined(picture: npt.NDArray[np.uint8], labels: Any, colour: tuple[int, int, int]) -> npt.NDArray[np.uint8]:
    from skimage.segmentation import find_boundaries

    drawn = picture.copy()
    drawn[find_boundaries(np.asarray(labels), mode="inner")] = colour
    return drawn


def _framed(panel: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
    return np.pad(panel, ((0, _GAP), (0, _GAP), (0, 0)), constant_values=255)


def _tell(output: Path, metrics: dict[str, float]) -> None:
    typer.echo("\nOn images that were not trained on:")
    for name, value in metrics.items():
        typer.echo(f"  {name:>8}  {value:.3f}")
    typer.echo("AP@t: share of objects found with an overlap of at least t, wrong ones counted against it.")
    typer.echo(f"\nIn {output.resolve()}:")
    for name, what in _MADE.items():
        typer.echo(f"  {name:<20} {what}")


def _show(images: Path, results: Path) -> None:
    from microforge.gui.show import show_result
    from microforge.io.files import find_images
    from microforge.io.images import read_image, read_labels

    pictures = [read_image(path) for path in find_images([images])[:_SHOWN]]
    labels = [np.asarray(read_labels(results / f"{one.name}.tif").data) for one in pictures]
    show_result(pictures, [Prediction(labels=one) for one in labels])
