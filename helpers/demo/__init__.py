"""The demo, and what the tests and the benchmark share with it: a sample catalogue, a server."""
