"""Cellpose 3.1, trained from scratch for a given time with its own defaults and learning-rate schedule."""

import contextlib
import time

from common import enter_environment, names, parse, predict, report

BATCH = 8
IMAGES_PER_EPOCH = 32


def main() -> None:
    arguments = parse("Cellpose")
    answer = enter_environment(arguments.env / "cellpose", ["cellpose==3.1.*", "tifffile"], ["torch==2.13.0"])
    started = time.perf_counter()
    import numpy as np
    import tifffile
    import torch
    from cellpose import dynamics, models, train

    np.random.seed(arguments.seed)  # noqa: NPY002 - the library draws from it
    torch.manual_seed(arguments.seed)
    imported = time.perf_counter()
    stems = names(arguments, arguments.train)[: arguments.limit]
    images = [tifffile.imread(arguments.images / f"{stem}.tif") for stem in stems]
    labels = [tifffile.imread(arguments.labels / f"{stem}.tif") for stem in stems]
    flows = dynamics.labels_to_flows(labels, device=torch.device("cpu"))
    model = models.CellposeModel(gpu=torch.cuda.is_available(), pretrained_model=False)
    common = {
        "train_data": images,
        "train_labels": flows,
        "channels": [0, 0],
        "batch_size": BATCH,
        "save_path": arguments.env / "cellpose-models",
    }
    common["save_path"].mkdir(exist_ok=True)
    steps = 0
    deadline = imported + arguments.time
    get_batch = train._get_batch  # noqa: SLF001 - the only place that is passed before every step

    def counted(*args, **kwargs):  # type: ignore[no-untyped-def]
        nonlocal steps
        if time.perf_counter() > deadline:
            raise StopIteration
        steps += 1
        return get_batch(*args, **kwargs)

    # Two short epochs tell how many fit the time: its schedule of learning rates then ends when the time does.
    with contextlib.suppress(StopIteration):
        train._get_batch = counted  # noqa: SLF001
        before = time.perf_counter()
        train.train_seg(model.net, n_epochs=2, nimg_per_epoch=2 * BATCH, **common)
        per_epoch = (time.perf_counter() - before) / steps * (IMAGES_PER_EPOCH / BATCH)
        epochs = max(2, int((deadline - time.perf_counter()) / per_epoch))
        train.train_seg(model.net, n_epochs=epochs, nimg_per_epoch=IMAGES_PER_EPOCH, **common)
    trained = time.perf_counter() - imported
    model.net.eval()
    model.diam_labels = float(model.net.diam_labels.data.cpu().numpy()[0])
    values = {
        "images": len(images),
        "import_seconds": round(imported - started, 1),
        "train_seconds": round(trained, 1),
        "steps": steps,
        "train_megapixels_per_second": round(steps * BATCH * 224 * 224 / 1e6 / trained, 3),
        **predict(
            arguments,
            lambda image: image,
            lambda image: model.eval(image, channels=[0, 0], diameter=model.diam_labels)[0],
        ),
    }
    report(arguments, "cellpose", values, answer)


if __name__ == "__main__":
    main()
