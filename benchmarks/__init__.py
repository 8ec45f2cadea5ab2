"""Programs that measure or prove Waystream as a whole. Each has a `make` target and ends in one JSON object."""
