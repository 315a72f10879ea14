"""Pieces of Qt that know no session: come here for a form, a table, a progress bar or a plot."""
