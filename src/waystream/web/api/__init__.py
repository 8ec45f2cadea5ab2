"""OPEN LIST of the HTTP interface: one module per resource, each with a `router`; described by /api/openapi.json."""
