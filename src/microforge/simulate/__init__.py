"""Microscope fields of fluorescent nuclei with exact labels, made from random numbers: for trying, testing, teaching.

``python -m microforge.simulate sample_data`` writes the sample images of the project.
"""

from microforge.simulate.fields import Simulated, simulate_cells, simulate_nuclei
from microforge.simulate.samples import write_samples

__all__ = ["Simulated", "simulate_cells", "simulate_nuclei", "write_samples"]
