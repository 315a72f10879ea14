"""What is kept aside of an image, hatched on the canvas."""
