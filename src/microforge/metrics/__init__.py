"""How alike a prediction and the truth are: objects and points in `matching`, images in `images`."""
