"""Training: from samples to a model, as an iterator of events."""
