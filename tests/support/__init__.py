"""What the tests share: servers, databases, copies of the project, runs of its scripts, fakes."""
