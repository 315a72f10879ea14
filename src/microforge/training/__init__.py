"""From samples to a model, as an iterator of events."""
