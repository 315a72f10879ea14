"""A folder run on several machines: come here for which files are whose, and how results are brought together."""
