"""What models answer with, one module for each kind: what becomes of it in files and tables."""
