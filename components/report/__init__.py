"""Report: one page that summarizes a run's artifacts."""
