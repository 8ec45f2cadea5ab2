"""The parts of `benchmarks.replay_real`: real orders in, their journeys out through the wire, and a judge.

`data` reads what really happened, `story` says it in Waystream's words and what must come of it, `processes` runs the
real programs, `shop` sets them up and hands orders in, `network` pushes, `quiet` waits, `judge` compares.
"""
