"""Objects of a label image measured, one row each: size, place, brightness, shape; come here to add a column."""
