"""The models a run had before, and those of other runs: come here for what a person can go back to."""
