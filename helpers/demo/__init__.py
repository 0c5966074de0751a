"""The demo, and its sample catalogue and private server, which tests and benchmark use too."""
