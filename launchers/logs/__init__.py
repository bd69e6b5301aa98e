"""What comes from outside: other people's logs become a run's episodes."""
