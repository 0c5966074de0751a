"""CB-Tumblebug's REST API: the client, and waiting for a fetch.

Only the standard library is used.
"""
