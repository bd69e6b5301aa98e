"""What is learned from: episodes, the store, Reverb, the memory."""
