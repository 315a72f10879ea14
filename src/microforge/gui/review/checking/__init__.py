"""Check one by one what a network found; come here for what *Review* asks."""
