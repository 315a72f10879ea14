"""Axes: what their letters mean, and the only place that permutes them; come here when data lie the wrong way round."""
