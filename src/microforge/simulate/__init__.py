"""Microscope fields with their truth, made from random numbers: for trying, testing, teaching.

Nuclei with exact labels, fine structures recorded with little and with much light, crowds to count, focus lost.

``python -m microforge.simulate sample_data`` writes the sample images of the project.
"""

from microforge.simulate.crowds import Crowd, simulate_crowd, simulate_focus
from microforge.simulate.exposures import noisy_pair, noisy_series
from microforge.simulate.fields import Simulated, simulate_cells, simulate_nuclei
from microforge.simulate.samples import write_samples

__all__ = [
    "Crowd",
    "Simulated",
    "noisy_pair",
    "noisy_series",
    "simulate_cells",
    "simulate_crowd",
    "simulate_focus",
    "simulate_nuclei",
    "write_samples",
]
