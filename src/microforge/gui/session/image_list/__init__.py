"""The images at hand, open or not, and going from one to another; come here when one is lost on the way."""
