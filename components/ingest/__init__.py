"""Ingest: any text source becomes a corpus of clean UTF-8 text."""
