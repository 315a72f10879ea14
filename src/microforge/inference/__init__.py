"""From a model and images to results."""
