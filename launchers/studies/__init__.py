"""Grids of runs and the claims that they decide."""
