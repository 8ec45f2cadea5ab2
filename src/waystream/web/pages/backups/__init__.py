"""When the database was last kept, how long that took, and to which moments it came back."""
