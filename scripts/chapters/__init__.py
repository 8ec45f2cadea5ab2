"""OPEN LIST of the reference: one module a page, with `TITLE`, `ABOUT` and `page()`. `markdown` writes its tables."""
