"""What the business does, one folder a part; parts do not know each other and meet in rules."""
