"""Numbers that were taken and that no carrier ever collected: by carrier and age, one by one, and as a file."""
