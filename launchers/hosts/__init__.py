"""Where nodes run: processes, their supervision, and their network."""
