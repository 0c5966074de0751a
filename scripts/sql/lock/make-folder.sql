-- Makes this run's folder next to the server and prints its name.
\! mktemp -d "${TMPDIR:-/tmp}/$FAR_PREFIX.XXXXXX"
