"""CB-Tumblebug's REST API: a client, and fetching with a live line. Only the standard library."""
