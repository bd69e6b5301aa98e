"""Every speed figure of the README, beside its peer."""
