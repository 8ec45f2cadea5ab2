"""Programs that measure or prove Waystream as a whole, each started by a `make` target and ending in one JSON object."""
