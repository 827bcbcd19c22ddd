"""What stages hand one another: manifests, token records, vocabularies, models, and where they are stored."""
