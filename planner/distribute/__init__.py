"""Which parts of a query can run on shares of the data."""
