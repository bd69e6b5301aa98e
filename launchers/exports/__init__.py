"""What leaves the house: policies as files that others load."""
