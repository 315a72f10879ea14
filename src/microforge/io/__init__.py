"""Files: images and annotations in, results and model files out."""
