"""The tab *Review*: how good a model is, and where it errs."""
