"""The ways by which the messages of a shop leave."""
