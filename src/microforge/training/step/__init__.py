"""One step of training: the learner, how weights are updated, and their average."""
