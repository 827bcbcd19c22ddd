"""Vectorize: a corpus becomes a vocabulary and token ids in TFRecords."""
