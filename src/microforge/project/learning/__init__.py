"""What a training takes out of a project, and the models it brings back: come here for training without a window."""
