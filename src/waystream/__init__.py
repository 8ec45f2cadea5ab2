"""Waystream: the self-hosted logistics data backbone for e-commerce."""
