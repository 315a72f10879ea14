"""What the window remembers and what runs in its threads: come here for state, not for anything that is seen."""
