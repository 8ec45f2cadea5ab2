"""Setting up: warehouses, accounts at aggregators and carriers, the test call, the push address and its light."""
