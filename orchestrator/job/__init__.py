"""Job files and command lines to one typed job. Imports neither ray nor torch."""
