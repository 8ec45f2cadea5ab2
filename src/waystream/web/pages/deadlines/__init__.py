"""What is due soon and what was missed, by kind; each shop's hours."""
