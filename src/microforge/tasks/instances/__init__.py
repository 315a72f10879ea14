"""Segment objects: the task, and the watershed that takes its output apart."""
