"""What runs: configuration, environments, nodes, programs and commands."""
