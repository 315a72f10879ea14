"""Points on cells in files: tables, ImageJ ROIs, Cell Counter; come here to read or write another kind of file."""

from microforge.io.points.imagej_rois import write_points_rois
from microforge.io.points.reading import PLACE_COLUMNS, POINTS_SUFFIXES, read_points, without_twins, write_points_csv

__all__ = ["PLACE_COLUMNS", "POINTS_SUFFIXES", "read_points", "without_twins", "write_points_csv", "write_points_rois"]
