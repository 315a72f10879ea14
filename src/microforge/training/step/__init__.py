"""One step of training: the learner, how weights are updated, their average, and what that answered."""
