"""Shops and their policies: which deliveries complete an order at once, and how long the others wait."""
