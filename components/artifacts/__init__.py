"""What stages pass to one another: manifests, token records, vocabularies, models, and where they are stored."""
