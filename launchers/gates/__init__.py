"""What may be deployed: estimates, bounds, support, and rules that decide."""
