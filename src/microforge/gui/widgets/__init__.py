"""Qt widgets independent of the session: come here for a form, a table, a progress bar or a plot."""
