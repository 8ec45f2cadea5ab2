"""The buyer's page: an order behind a signed link, followed without an account and answered with a thumb."""
