"""State and threads of the window, without widgets: come here for what is remembered, not for what is seen."""
