"""What lies where in the folder of a run; come here for the names of its files. Known without torch."""

MODEL_NAME, CONFIG_NAME = "model.safetensors", "config.json"
#: The newest state that a run can go on from, and the one before.
CHECKPOINT_NAMES = ("checkpoint.safetensors", "checkpoint-previous.safetensors")
#: The folder of the models that the run had before.
MODELS = "models"
#: A small picture of what the model found.
THUMBNAIL_NAME = "thumbnail.png"
