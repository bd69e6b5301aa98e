"""What acts in NumPy alone: trained networks as files of arrays."""
