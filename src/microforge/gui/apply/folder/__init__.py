"""Apply a model to files on disk: the choice of files and regions, and the table of what became of each."""
