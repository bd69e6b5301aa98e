"""Learning in one process, without a program of nodes."""
