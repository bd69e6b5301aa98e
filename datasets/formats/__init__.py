"""Other people's files: logs that come in, episodes that go out."""
