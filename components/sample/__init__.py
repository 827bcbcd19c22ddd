"""Sample: a model writes new text in bulk."""
