"""What changes in layers while a person works, and what a running training has to hear of it."""
