"""A project opened in the window: read in a thread, and made into layers; come here when one comes back changed."""
