"""What a person reads of a run: its data, pictures and page."""
