"""Count cells from points: the task, its options, points to densities and back, scores and intervals."""
