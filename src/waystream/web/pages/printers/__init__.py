"""Printers: what they said last, what waits for them; a printer that is off keeps its queue and says so."""
