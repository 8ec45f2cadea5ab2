"""What must always hold, and whether it does."""
