"""What acts for a run from another host."""
