"""Report: one page that ties a run's artifacts together."""
