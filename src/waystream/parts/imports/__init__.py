"""Imports: files handed in, how far each is and what came of it; saved mappings of columns to fields.

Owns: import_run, import_piece, import_mapping. Answers: keep a file, begin, beat, end, list; save, list, drop a
mapping. Says nothing. What rows mean is the importing part's; this one never reads them.
"""
