"""The tools of *Annotate*, one module for each kind of annotation, with the pieces that it alone needs."""
