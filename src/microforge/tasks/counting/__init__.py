"""Count cells from dots: the task, its options, dots to densities and back, scores and intervals."""
