"""The workbench: the queue of tickets, one ticket with everything around it, and what can be done with it."""
