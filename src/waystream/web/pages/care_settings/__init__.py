"""When each shop's people work: GET /care-hours."""
