"""One's own account: password, language, leaving."""
