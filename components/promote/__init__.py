"""Promote: after a run, its model becomes the champion where it is better than the one that is."""
