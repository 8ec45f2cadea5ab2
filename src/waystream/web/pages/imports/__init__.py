"""Importing files of orders, SKUs and warehouses: what the columns mean, how far it is, which line is wrong and why."""
