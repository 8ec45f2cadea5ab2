"""The demonstration: Waystream, a sandbox carrier network beside it, and a shop that sells. Nobody touches anything.

`run` is the whole of it; `shop` is what the shop sells and to whom, `messages` how its buyers hear of it, `report` what
came of it.
"""
