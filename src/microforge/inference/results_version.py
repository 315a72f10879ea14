"""Which results this program gives; come here when a change makes the same model give other results."""

#: Raise it whenever the same model, image and settings give other files or other numbers in tables than before:
#: reading, normalising, tiling, decoding, measuring. Folder runs then do again what an older program has done.
RESULTS_VERSION = "2"
