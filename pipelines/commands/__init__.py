"""The commands of `quillflow`: a file per command, each with `add`, which adds it to the parser, and its work."""
