"""Every component in both themes, on one page: what a page may be made of."""
