"""What the rules benchmark shares: parcels that live their whole life, wave by wave, and the drain that is measured."""
