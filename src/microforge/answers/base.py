"""What all kinds of answers share: the names of the tables they give rows to, and what is measured on whole images."""

from collections.abc import Mapping

#: The tables to which images give rows, by name: each is `NAME.csv` in the folder of results.
OBJECTS, COUNTS, CLASSES = "objects", "counts", "classes"
TABLES = (OBJECTS, COUNTS, CLASSES)
#: What was measured on a whole image, by name: numbers and words.
Statistics = Mapping[str, float | str]
