"""Whether what is being trained is of use yet: a simple method beside it, and words for what is missing."""
