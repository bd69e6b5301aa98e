"""What acts in an environment: lanes, their kernels, and whole episodes."""
