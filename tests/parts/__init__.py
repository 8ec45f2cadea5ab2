"""What the business does, part by part."""
