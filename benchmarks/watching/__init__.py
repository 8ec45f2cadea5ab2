"""Who looks on while pushes come: open pages as a process of its own, and what they were told when."""
