"""Unchanged: whether the champion was made from the same text with the same settings; then nothing is trained."""
