"""Labels as files: for the demo, for tests, and for a print server that watches a folder."""
