"""The page of a training run, one HTML file that needs no network: come here for what stands in it and how it looks."""
