"""Write the sample images: ``python -m microforge.simulate sample_data``."""

import argparse
from pathlib import Path

from microforge.simulate.samples import write_samples

if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="microforge.simulate", description="Write the sample images of Microforge.")
    parser.add_argument("folder", type=Path, help="where to write them")
    write_samples(parser.parse_args().folder)
