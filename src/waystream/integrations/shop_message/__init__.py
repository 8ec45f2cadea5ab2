"""The shop's own message port: a signed POST to a system that talks to buyers by itself (旺旺, an app)."""
