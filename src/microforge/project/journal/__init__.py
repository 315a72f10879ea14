"""The journal of a project: what is appended to it, and what is read of it after a crash."""
