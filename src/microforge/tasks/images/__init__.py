"""Tasks whose answer is an image: denoising, restoration, label-free prediction, super-resolution."""
