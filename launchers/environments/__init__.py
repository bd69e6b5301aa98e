"""The door for a user's system: what acts is shown one kind of environment."""
