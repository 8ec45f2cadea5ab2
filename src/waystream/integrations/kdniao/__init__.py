"""Kdniao (快递鸟): e-waybills, subscriptions and trace pushes of most Chinese carriers behind one signed wire.

`adapter.network` is what the rest of Waystream uses; `fake` is the other side of the same wire for the sandbox.
"""
