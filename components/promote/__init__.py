"""Promote: after a run, its model becomes the champion if it is better than the current one."""
