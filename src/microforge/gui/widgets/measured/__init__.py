"""A table of measurements with a histogram or scatter plot; come here for how results are looked through."""

from microforge.gui.widgets.measured.panel import MeasuredPanel

__all__ = ["MeasuredPanel"]
