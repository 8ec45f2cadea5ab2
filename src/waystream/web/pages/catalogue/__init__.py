"""What is sold: SKUs with what a carrier has to know of them, found, added, changed, imported."""
