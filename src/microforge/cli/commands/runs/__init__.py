"""Commands about trainings that have ended: the page of one, and several beside each other."""
