"""The tab *Apply*: run a model (prediction, inference) on open images or on folders of files."""
