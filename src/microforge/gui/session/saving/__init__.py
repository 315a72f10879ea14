"""Keeping what is drawn in a project: come here when something drawn was lost.

`autosave` says when, `writing` writes in a thread, `due` and `drawn` say what.
"""
