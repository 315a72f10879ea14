"""The tab *Annotate*: choose an image, a task, and draw."""
