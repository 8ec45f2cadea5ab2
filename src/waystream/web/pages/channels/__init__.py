"""The ways a shop's messages leave by: added, tried, switched, mended."""
