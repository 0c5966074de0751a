"""The demo, and what tests and the benchmark share with it: sample catalogue, private server."""
