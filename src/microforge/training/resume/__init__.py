"""Going on with a run: what a checkpoint knows of it, what of today's settings and images fits, what changes."""
