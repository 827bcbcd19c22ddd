"""Prune: removes old runs' artifacts, and nothing that what stays was made from."""
