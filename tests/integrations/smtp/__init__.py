"""E-mail: letters as bytes, and the conversation with a real server."""
