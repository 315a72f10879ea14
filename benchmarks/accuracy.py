"""Accuracy after a given training time, from the command line as a user would; prints one JSON line.

    python benchmarks/accuracy.py DATA --score score.py --time 300s [--images 5] [--seed 0] [--device cpu]

DATA holds ``images/``, ``labels/`` and ``split.csv`` (columns name, split). Trains on the images whose split is
"train" (or on some of them, drawn by the seed), predicts those whose split is "val", and lets the score script judge.
The validation images serve for nothing but the score: the run keeps some training images aside for itself.
"""

import json
import os
import tempfile
from pathlib import Path

from command_line import judge, link, names, parser_of, run, some, training_options


def main() -> None:
    parser = parser_of(__doc__, "300s")
    parser.add_argument("--score", type=Path, required=True)
    parser.add_argument("--images", type=int, default=0, help="train on so many images only; 0 = all")
    a = parser.parse_args()
    training, validation = names(a.data, "train"), names(a.data, "val")
    training = some(training, a)
    with tempfile.TemporaryDirectory() as folder:
        here = Path(folder)
        known, unseen = (
            [link(a.data / kind, stems, here / split / kind) for kind in ("images", "labels")]
            for split, stems in (("train", training), ("val", validation))
        )
        model, found = here / "model.safetensors", here / "found"
        answer, wall = run("train", "instances", *map(str, known), *training_options(a, model))
        run("predict", str(model), str(unseen[0]), "--output", str(found), "--device", a.device)
        score = judge(a.score, "instances", unseen[1], found)
    line = {
        "benchmark": "accuracy",
        "time": a.time,
        "images": len(training),
        "seed": a.seed,
        "steps": json.loads(answer).get("steps"),
        "wall_s": round(wall, 1),
        "cores": os.cpu_count(),
        "AP": score["AP"],
        "objects": [score["objects_truth"], score["objects_pred"]],
    }
    print(json.dumps(line))


if __name__ == "__main__":
    main()
