"""Judging a model by its loss on held-out text and by its samples, compared with plain models and people's text."""
