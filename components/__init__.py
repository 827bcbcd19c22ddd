"""The suite's stages, and what they share; docs/architecture.md is the map."""
