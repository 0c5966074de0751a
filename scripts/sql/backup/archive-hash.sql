-- The hash of the archive that a backup has left next to the server, without the name that sha256sum adds.
\! cut -d ' ' -f 1 "$FAR_FOLDER/hash"
