"""A seeded carrier network on a virtual clock that meets Waystream only on Kdniao's wire.

`server.run` is the process; `world` and `claims` say what happens to a parcel, `book` remembers it, `pusher` tells it.
"""
