"""The program of a run, and each of its nodes."""
