"""What buyers are told: the log, one message, the words they are told in, how a shop speaks."""
