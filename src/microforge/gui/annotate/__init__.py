"""The tab *Annotate*: choose an image and a task, and draw, click or choose what the model learns from."""
