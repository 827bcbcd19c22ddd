"""How stages are run: their settings, their command lines, their logs and their exit codes."""
