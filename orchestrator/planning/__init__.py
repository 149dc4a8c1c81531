"""Pure: from a job to a list of trials. Imports neither ray nor torch."""
