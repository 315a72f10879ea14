"""What the dimensions of an image mean and how large its pixels are, shown in words and asked for."""
