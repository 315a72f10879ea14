"""A paragraph for the methods section of a paper, from the card of a model; come here for its wording."""

from collections.abc import Mapping

from microforge.io.model_file import ModelCard

_NORMALISED = {
    "image": "Intensities of each image were normalised by its own percentiles.",
    "dataset": "Intensities were normalised by percentiles common to all images.",
    "none": "Intensities were used as recorded.",
}
_VARIED = {
    "flip": "mirrored",
    "rotate": "turned",
    "scale": "scaled",
    "elastic": "deformed",
    "intensity": "changed in brightness, contrast and noise",
}


def methods_paragraph(card: ModelCard, title: str, metric: str) -> str:
    """Say how a model was trained and how good it is, in the words and with the figures a reviewer asks for.

    Parameters
    ----------
    title
        What the model does, as its task says it: "Segment objects".
    metric
        The metric that decides.
    """
    return " ".join(part for part in (_trained(card, title), _data(card), _how(card), _measured(card, metric)) if part)


def _trained(card: ModelCard, title: str) -> str:
    network, versions = card.network, card.versions
    program = f"napari-microforge {versions.get('napari-microforge', '')}".strip()
    torch = f" (PyTorch {versions['torch']})" if "torch" in versions else ""
    shape = f"{network.dims}D U-Net (width {network.width}, depth {len(network.pools)}"
    return (
        f"A {shape}, {card.parameters / 1e6:.2f} million parameters) was trained with {program}{torch} "
        f"to {title[:1].lower()}{title[1:]}."
    )


def _data(card: ModelCard) -> str:
    trained = card.training
    sizes = " × ".join(f"{size:.4g}" for size in card.pixel_size or ())
    pixels = f" with a pixel size of {sizes} µm" if sizes else ""
    # Where what is annotated names the images, their number is said already.
    number = f"{trained.images} image{'s' * (trained.images != 1)}{pixels}"
    annotated = f" (annotated: {trained.annotated}; {trained.annotated_megapixels:.3g} megapixels)"
    return f"It learnt from {number}{annotated if trained.annotated else ''}. {_NORMALISED[card.normalisation.mode]}"


def _how(card: ModelCard) -> str:
    trained, chosen = card.training, card.training.settings
    begun = " starting from an earlier model" if chosen.get("start_from") else ""
    where = f" on {trained.device}" if trained.device else ""
    took = f"Training took {trained.steps:,} steps ({trained.seconds / 60:.1f} min{where}){begun}"
    varied = chosen.get("augmentation")
    how = _variation(varied) if isinstance(varied, Mapping) else ""
    return f"{took}, seed {chosen.get('seed', 0)}, with patches varied at random{how}."


def _variation(varied: Mapping[str, object]) -> str:
    used = [word for name, word in _VARIED.items() if (how := varied.get(name)) and (how is True or how != 1)]
    return f" ({', '.join(used)})" if used else ""


def _measured(card: ModelCard, metric: str) -> str:
    images = card.training.validation_images
    if not card.metrics or not images:
        return "Its quality was not measured, as no image was kept aside."
    first = [metric] if metric in card.metrics else []
    figures = ", ".join(
        f"{name} {card.metrics[name]:.3f}" for name in [*first, *(n for n in card.metrics if n != metric)]
    )
    simple = card.baseline
    beside = ""
    if simple is not None and simple.value is not None and simple.metric in card.metrics:
        beside = f" A simple method ({simple.name or simple.kind}) reached {simple.metric} {simple.value:.3f} on them."
    return (
        f"Quality was measured on {images} image{'s' * (images != 1)} (or part of one) kept aside, which the network "
        f"did not learn from but by which the weights kept were chosen: {figures}.{beside}"
    )
