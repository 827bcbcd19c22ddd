"""Judging: how good a model is, by a held-out text's loss and by what it writes, against plain models and people."""
