"""What agents with a Gaussian policy, a critic and perhaps a prior share."""
