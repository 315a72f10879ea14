"""What the window shows of the project: its name, whether all is saved, its menu, and *Go on with ...*."""
