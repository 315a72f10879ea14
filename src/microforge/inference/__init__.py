"""Prediction: tiles, a predictor for arrays and images, open images, folders of files."""
