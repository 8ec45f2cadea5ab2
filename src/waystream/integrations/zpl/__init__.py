"""Label printers that take raw ZPL on a TCP port."""
