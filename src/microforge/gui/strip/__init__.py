"""The strip of thumbnails: all images at hand, how each stands, and the way to it."""
