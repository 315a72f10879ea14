"""How far a model can be trusted, measured after training: what is needed, refused and written."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import tifffile

from microforge.config import PredictionConfig
from microforge.errors import NotEnoughDataError, SettingsError, WriteError
from microforge.evaluation.calibrate import calibrate
from microforge.evaluation.evaluate import evaluate
from microforge.inference.predictor import Predictor
from microforge.io.model_file import ModelFile, TrainingSummary, load_model, read_card, save_model
from microforge.tasks.confidence import FEWEST_JUDGED, Calibration
from microforge.tasks.counting.interval import FEWEST, Interval
from support.random_models import classifying_model, counting_model, random_model

CPU = PredictionConfig(device="cpu")
SIZE = 48


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Forty images with points, of which the model knows nothing."""
    folder = tmp_path_factory.mktemp("counted")
    rng = np.random.default_rng(0)
    for part in ("images", "points"):
        (folder / part).mkdir()
    for k in range(40):
        tifffile.imwrite(folder / "images" / f"f{k:02d}.tif", rng.integers(0, 255, (SIZE, SIZE)).astype(np.uint8))
        places = rng.uniform(0, SIZE - 1, (rng.integers(4, 30), 2))
        np.savetxt(folder / "points" / f"f{k:02d}.csv", places, delimiter=",", header="y,x", comments="")
    rows = [f"f{k:02d},{'few' if k < FEWEST - 1 else 'half' if k < 24 else 'rest'}" for k in range(40)]
    (folder / "split.csv").write_text("\n".join(["name,split", *rows]))
    return folder


@pytest.fixture
def model(tmp_path: Path) -> Path:
    file = counting_model()
    save_model(tmp_path / "m.safetensors", file.weights, file.card)
    return tmp_path / "m.safetensors"


def test_the_interval_holds_for_other_images_and_the_weights_stay(folder: Path, model: Path) -> None:
    split = f"{folder / 'split.csv'}:half"
    done = calibrate(model, folder / "images", folder / "points", config=CPU, split=split)
    new = model.with_name("m_calibrated.safetensors")
    assert (done["model"], done["images"], done["failed"]) == (str(new), 24 - FEWEST + 1, [])
    interval = Interval.model_validate(done["intervals"][""])
    assert interval.images == done["images"]
    (model.parent / "plain").write_text("")
    assert new.stat().st_mode == (model.parent / "plain").stat().st_mode
    before, after = load_model(model), load_model(new)
    assert all((before.weights[name] == after.weights[name]).all() for name in before.weights)
    assert replace(after, card=after.card.model_copy(update={"task_options": {}})).card == before.card.model_copy(
        update={"task_options": {}}
    )
    rest = evaluate(new, folder / "images", folder / "points", config=CPU, split=f"{folder / 'split.csv'}:rest")
    assert rest["metrics"]["coverage"] >= 0.7


def test_too_few_images_give_nothing(folder: Path, model: Path) -> None:
    with pytest.raises(NotEnoughDataError, match=rf"{FEWEST - 1} images are too few.*{FEWEST} are needed.*Nothing was"):
        calibrate(model, folder / "images", folder / "points", config=CPU, split=f"{folder / 'split.csv'}:few")
    assert list(model.parent.glob("*.safetensors")) == [model]


def test_images_that_cannot_be_read_do_not_count(folder: Path, model: Path, tmp_path: Path) -> None:
    for part in ("images", "points"):
        (tmp_path / part).mkdir()
        for path in sorted((folder / part).iterdir())[:FEWEST]:
            (tmp_path / part / path.name).write_bytes(path.read_bytes())
    (tmp_path / "images" / "f03.tif").write_bytes(b"")
    with pytest.raises(NotEnoughDataError, match=r"1 could not be used; the first, f03\.tif"):
        calibrate(model, tmp_path / "images", tmp_path / "points", config=CPU)


def test_a_series_counts_as_one_image(model: Path, tmp_path: Path) -> None:
    for part in ("images", "points"):
        (tmp_path / part).mkdir()
    movie = np.random.default_rng(0).integers(0, 255, (12, SIZE, SIZE)).astype(np.uint8)
    tifffile.imwrite(tmp_path / "images" / "movie.tif", movie, metadata={"axes": "TYX"}, ome=True)
    rows = "".join(f"{t},10,10\n" for t in range(12))
    (tmp_path / "points" / "movie.csv").write_text(f"t,y,x\n{rows}")
    with pytest.raises(NotEnoughDataError, match="1 image is too few"):
        calibrate(model, tmp_path / "images", tmp_path / "points", config=CPU)


def test_a_long_series_among_images_does_not_outweigh_them(folder: Path, model: Path, tmp_path: Path) -> None:
    for part in ("images", "points"):
        (tmp_path / part).mkdir()
        for path in sorted((folder / part).iterdir())[:FEWEST]:
            (tmp_path / part / path.name).write_bytes(path.read_bytes())
    movie = np.random.default_rng(0).integers(0, 255, (12, SIZE, SIZE)).astype(np.uint8)
    tifffile.imwrite(tmp_path / "images" / "movie.tif", movie, metadata={"axes": "TYX"}, ome=True)
    rows = "".join(f"{t},10,10\n" for t in range(12))
    (tmp_path / "points" / "movie.csv").write_text(f"t,y,x\n{rows}")
    done = calibrate(model, tmp_path / "images", tmp_path / "points", config=CPU)
    assert done["images"] == done["intervals"][""]["images"] == FEWEST + 1


def test_images_that_were_learnt_from_are_refused(folder: Path, model: Path) -> None:
    file = load_model(model)
    summary = TrainingSummary(names=("f01", "f12 t=000", "other"))
    save_model(model, file.weights, file.card.model_copy(update={"training": summary}))
    with pytest.raises(SettingsError, match=r"learnt from 2 of these images \(f01\.tif, f12\.tif\).*Nothing was"):
        calibrate(model, folder / "images", folder / "points", config=CPU)


def test_nothing_is_replaced_unless_wanted(folder: Path, model: Path, tmp_path: Path) -> None:
    (tmp_path / "there.safetensors").write_bytes(b"mine")
    with pytest.raises(WriteError, match="such a file already"):
        calibrate(model, folder / "images", folder / "points", tmp_path / "there.safetensors", config=CPU)
    split = f"{folder / 'split.csv'}:rest"
    done = calibrate(model, folder / "images", folder / "points", config=CPU, overwrite=True, split=split)
    assert done["model"] == str(model)
    assert read_card(model).task_options["intervals"][""]["images"] == 16


def test_models_of_which_nothing_can_be_sure_are_refused(folder: Path, tmp_path: Path) -> None:
    file = classifying_model()
    save_model(tmp_path / "m.safetensors", file.weights, file.card)
    with pytest.raises(SettingsError, match=r"finds no objects or cells.*classify images"):
        calibrate(tmp_path / "m.safetensors", folder / "images", folder / "points", config=CPU)


@pytest.fixture
def painted(tmp_path: Path) -> Path:
    """Forty images with objects, of which the model knows nothing."""
    rng = np.random.default_rng(1)
    for part in ("images", "labels"):
        (tmp_path / part).mkdir()
    for k in range(40):
        labels = np.kron(np.arange(1, 10).reshape(3, 3), np.pad(np.ones((8, 8), int), 4)).astype(np.uint16)
        tifffile.imwrite(tmp_path / "images" / f"f{k:02d}.tif", rng.integers(0, 255, labels.shape).astype(np.uint8))
        tifffile.imwrite(tmp_path / "labels" / f"f{k:02d}.tif", labels)
    rows = [f"f{k:02d},{'few' if k < 20 else 'rest'}" for k in range(40)]
    (tmp_path / "split.csv").write_text("\n".join(["name,split", *rows]))
    return tmp_path


def test_a_model_that_finds_nonsense_learns_not_to_trust_itself(painted: Path, tmp_path: Path) -> None:
    file = random_model("instances", out_channels=2, residual=False)
    before = ModelFile(file.card.model_copy(update={"task_options": {}}), file.weights)
    save_model(tmp_path / "m.safetensors", before.weights, before.card)
    done = calibrate(tmp_path / "m.safetensors", painted / "images", painted / "labels", config=CPU)
    assert "intervals" not in done
    options = read_card(Path(done["model"])).task_options
    calibration = Calibration.model_validate(options["calibration"])
    assert calibration.objects >= FEWEST_JUDGED
    assert calibration.right == 0
    assert done["confidence"] == f"calibrated on {calibration.objects} objects"
    image = np.random.default_rng(2).integers(0, 255, (48, 48)).astype(np.uint8)
    sure = [
        Predictor(path, CPU).predict(image).measurements["confidence"]
        for path in (tmp_path / "m.safetensors", done["model"])
    ]
    assert sure[0].max() > 0.5
    assert sure[1].max() < 0.1


def test_too_few_objects_tell_nothing_of_confidence(painted: Path, tmp_path: Path) -> None:
    file = random_model("instances", out_channels=2, residual=False)
    save_model(tmp_path / "m.safetensors", file.weights, file.card.model_copy(update={"task_options": {}}))
    split = f"{painted / 'split.csv'}:few"
    with pytest.raises(NotEnoughDataError, match=rf"than {FEWEST_JUDGED} objects were found in 20 images.*Nothing"):
        calibrate(tmp_path / "m.safetensors", painted / "images", painted / "labels", config=CPU, split=split)
    assert not (tmp_path / "m_calibrated.safetensors").exists()
