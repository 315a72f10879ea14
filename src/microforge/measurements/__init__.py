"""Objects of a label image measured, one row each; what columns are called, and how they look as a whole."""
