# Prints the first error of pigz or gzip, in the same words for both; or of a shell that could not
# create their file, without the shell's own position.
/./ && !found {
    sub(/^.*(cannot create |can't create |line [0-9]+: ).*: /, "")
    gsub(/^(gzip|pigz): *|skipping: *|abort: *|corrupted( entry)? -- *|<?std(in|out)>?:? */, "")
    if (sub(/^write error on +\(/, "")) sub(/\)$/, "")
    sub(/^(incomplete deflate data|missing trailer)$/, "unexpected end of file")
    sub(/^(unrecognized format|not a valid gzip file|unknown .*method.*)$/, "not in gzip format")
    sub(/^.*crc.*$/, "wrong checksum")
    sub(/^.*length (error|mismatch)$/, "wrong length")
    sub(/^(invalid deflate data.*|invalid compressed data.*)$/, "invalid data")
    sub(/^(Directory nonexistent|nonexistent directory)$/, "No such file or directory")
    found = $0
}
END { print found ? found : "a program ended unexpectedly" }
