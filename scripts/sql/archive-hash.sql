-- The hash of the archive that a backup has left next to the server, without the name that sha256sum adds.
\! cut -d ' ' -f 1 "${TMPDIR:-/tmp}/$FAR_PREFIX".*/hash
