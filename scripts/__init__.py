"""Tools of the repository: they read the product and never run inside it."""
