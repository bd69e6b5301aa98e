"""What a run is: its configuration, its directory, where it begins."""
