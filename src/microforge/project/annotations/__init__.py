"""What is drawn on the images of a project: in the journal, in plain files, and which of both counts."""
