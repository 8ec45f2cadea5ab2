"""A business of some years as a database would have it, every page that shows it, and what each page reads for it."""
