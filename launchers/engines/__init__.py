"""A run as jobs of an engine that places, restarts and limits them."""
