"""What lies where in the folder of a run; come here for the names of its files. Known without torch."""

MODEL_NAME, CONFIG_NAME, LOG_NAME = "model.safetensors", "config.json", "log.csv"
#: The newest state that a run can go on from, and the one before.
CHECKPOINT_NAMES = ("checkpoint.safetensors", "checkpoint-previous.safetensors")
#: The folder of the models that the run had before.
MODELS = "models"
#: The page of the run, and what was measured image by image, of which it is made.
REPORT_NAME, MEASURED_NAME = "report.html", "measured.json"
#: A small picture of what the model found.
THUMBNAIL_NAME = "thumbnail.png"
#: All that tells of a model beside it.
TOLD_NAMES = (REPORT_NAME, MEASURED_NAME, THUMBNAIL_NAME)
