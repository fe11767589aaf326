"""Built-in tool plugins: each knows one kind of source."""
