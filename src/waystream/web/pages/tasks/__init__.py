"""What only a person can settle on the floor: numbers in doubt, refusals, failed prints, numbers nobody watches."""
