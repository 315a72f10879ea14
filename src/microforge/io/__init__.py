"""Files in and out; one folder for each thing read or written, entered by its `__init__`."""
