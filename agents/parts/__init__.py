"""What agents are made of: networks, losses, regularizers, optimizers."""
