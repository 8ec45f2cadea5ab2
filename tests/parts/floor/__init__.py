"""The floor: labels on paper."""
