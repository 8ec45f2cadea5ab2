"""Printers that speak IPP (RFC 8010, 8011)."""
