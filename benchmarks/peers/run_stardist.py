"""StarDist 2D, trained from scratch for a given time with its own defaults (32 rays, U-Net depth 3, 32 filters)."""

import contextlib
import time

from common import enter_environment, names, parse, predict, report


def make_augmenter(seed: int):  # type: ignore[no-untyped-def]
    """Flip, turn and change brightness, as StarDist's own training example does."""
    import numpy as np

    random = np.random.default_rng(seed)

    def augment(x, y):  # type: ignore[no-untyped-def]
        turns = random.integers(4)
        x, y = np.rot90(x, turns, (0, 1)), np.rot90(y, turns, (0, 1))
        if random.integers(2):
            x, y = x[::-1], y[::-1]
        x = x * random.uniform(0.6, 2) + random.uniform(-0.2, 0.2)
        return x + 0.02 * random.uniform(0, 1) * random.normal(0, 1, x.shape), y

    return augment


def main() -> None:
    arguments = parse("StarDist")
    answer = enter_environment(
        arguments.env / "stardist", ["stardist==0.9.*", "tensorflow-cpu", "scikit-image", "tifffile"]
    )
    started = time.perf_counter()
    import numpy as np
    import tensorflow as tf
    import tifffile
    from csbdeep.utils import normalize
    from stardist import fill_label_holes
    from stardist.models import Config2D, StarDist2D

    np.random.seed(arguments.seed)  # noqa: NPY002 - the library draws from it
    tf.random.set_seed(arguments.seed)
    imported = time.perf_counter()

    def prepare(image):  # type: ignore[no-untyped-def]
        return normalize(image, 1, 99.8, axis=(0, 1))

    def read(stem):  # type: ignore[no-untyped-def]
        labels = fill_label_holes(tifffile.imread(arguments.labels / f"{stem}.tif"))
        return prepare(tifffile.imread(arguments.images / f"{stem}.tif")), labels

    stems = names(arguments, arguments.train)[: arguments.limit]
    order = np.random.default_rng(42).permutation(len(stems))
    held = max(1, round(0.1 * len(stems)))
    pairs = [read(stems[i]) for i in order]
    training, validation = pairs[held:] or pairs, pairs[:held]
    patch = (256, 256)
    config = Config2D(
        n_rays=32,
        grid=(2, 2),
        n_channel_in=1,
        train_patch_size=patch,
        train_batch_size=4,
        train_steps_per_epoch=20,
        train_tensorboard=False,
    )
    model = StarDist2D(config, name=f"run-{time.time_ns()}", basedir=str(arguments.env / "stardist-models"))
    deadline = imported + arguments.time

    class Stop(tf.keras.callbacks.Callback):
        """Ends the training when the time is up."""

        count = 0

        def on_train_batch_end(self, batch, logs=None):  # type: ignore[no-untyped-def]
            self.count += 1
            if time.perf_counter() > deadline:
                self.model.stop_training = True
                # Keras looks at the flag between epochs only.
                raise StopIteration

    stop = Stop()
    model.prepare_for_training()
    model.callbacks.append(stop)
    held_out = tuple(zip(*validation, strict=True))
    augmenter = make_augmenter(arguments.seed)
    with contextlib.suppress(StopIteration):
        x, y = zip(*training, strict=True)
        model.train(x, y, validation_data=held_out, augmenter=augmenter, epochs=100_000, seed=arguments.seed)
    trained = time.perf_counter() - imported
    model.optimize_thresholds(*held_out)
    values = {
        "images": len(training),
        "import_seconds": round(imported - started, 1),
        "train_seconds": round(trained, 1),
        "threshold_seconds": round(time.perf_counter() - imported - trained, 1),
        "steps": stop.count,
        "train_megapixels_per_second": round(stop.count * 4 * patch[0] * patch[1] / 1e6 / trained, 3),
        **predict(arguments, prepare, lambda image: model.predict_instances(image)[0]),
    }
    report(arguments, "stardist", values, answer)


if __name__ == "__main__":
    main()
