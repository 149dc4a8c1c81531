"""The registry's commands, one idea a file; a new one is a file and a line of a table."""
