"""Networks that see images enlarged or shrunk: come here for the way there and back."""
