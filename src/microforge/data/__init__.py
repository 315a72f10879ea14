"""From samples to training batches: normalisation, train/validation split, patch sampling, augmentation."""
