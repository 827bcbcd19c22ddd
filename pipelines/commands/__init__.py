"""What `quillflow` can do: a file a command, each with `add`, which gives it to the parser, and what it runs."""
