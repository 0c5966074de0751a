# Prints the bytes that -v bytes says, with a unit. Needs formats.awk.
BEGIN { printf("%s", human_size(bytes)) }
