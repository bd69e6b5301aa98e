"""The door through which workers on other hosts reach a run."""
