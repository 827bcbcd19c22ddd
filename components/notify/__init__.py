"""Notify: when a run on a cluster has ended, somebody is notified, and a monitor is if it succeeded."""
