"""The language: values and pure functions."""
