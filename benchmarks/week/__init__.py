"""The sandbox week that care is judged by: 20,000 parcels, their healthy silences and their seeded trouble.

`gaps`, `journeys`, `plan` write it (pure, seeded); `house`, `history`, `network`, `days` tell it to a real Waystream on
a virtual clock; `judge` knows what was seeded and compares.
"""
