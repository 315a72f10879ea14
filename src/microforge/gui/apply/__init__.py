"""The tab *Apply*: run a model on open images or on folders."""
