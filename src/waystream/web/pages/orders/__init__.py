"""The list of orders: tabs by word, filters in the address, search, and what can be done with many at once."""
