"""How good a model is: scores over images, what went wrong with which object, how far counts may be off."""
