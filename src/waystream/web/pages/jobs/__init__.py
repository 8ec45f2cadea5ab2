"""Jobs: the queues of what must happen outside, and what was given up."""
