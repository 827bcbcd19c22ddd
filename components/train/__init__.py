"""Train: a dataset becomes a model, with checkpoints that training resumes from exactly."""
