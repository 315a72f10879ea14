"""The methods paragraph says what was done, and what was not."""

from microforge.config import AugmentationConfig, NetworkConfig, TrainingConfig
from microforge.evaluation.report.methods import methods_paragraph
from microforge.io.model_file import BaselineCard, ModelCard, TrainingSummary


def paragraph(*, validation_images: int = 4, **card: object) -> str:
    chosen = TrainingConfig(seed=3, augmentation=AugmentationConfig(flip=False, elastic=2))
    trained = TrainingSummary(
        images=3, annotated="62 objects in 3 images", validation_images=validation_images, steps=1200, seconds=90,
        settings=chosen.model_dump(mode="json", exclude_none=True), device="cpu",
    )  # fmt: skip
    values = {"task": "instances", "network": NetworkConfig(), "training": trained, "parameters": 1_200_000} | card
    return methods_paragraph(ModelCard(**values), "Segment objects", "AP@0.5")  # type: ignore[arg-type]


def test_it_tells_program_data_training_and_quality() -> None:
    text = paragraph(
        metrics={"F1@0.5": 0.9, "AP@0.5": 0.812}, versions={"napari-microforge": "1.2", "torch": "2.13"},
        pixel_size=(0.32, 0.32), baseline=BaselineCard(name="Otsu threshold", metric="AP@0.5", value=0.5),
    )  # fmt: skip
    for part in (
        "1.20 million parameters", "napari-microforge 1.2 (PyTorch 2.13) to segment objects", "62 objects in 3 images",
        "pixel size of 0.32 × 0.32 µm", "1,200 steps (1.5 min on cpu), seed 3", "(turned, scaled, deformed, ",
        "4 images", "AP@0.5 0.812, F1@0.5 0.900", "A simple method (Otsu threshold) reached AP@0.5 0.500",
    ):  # fmt: skip
        assert part in text
    assert "mirrored" not in text


def test_it_claims_no_quality_that_was_not_measured() -> None:
    assert "not measured, as no image was kept aside" in paragraph(validation_images=0, metrics={})


def test_it_tells_that_an_earlier_model_was_gone_on_with() -> None:
    trained = TrainingSummary(settings={"start_from": "/x.safetensors"})
    assert "starting from an earlier model" in paragraph(training=trained)
