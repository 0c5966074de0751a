# Prints the first error that a client program has reported, with its detail; otherwise the first
# line. A broken pipe after the first line is only a consequence; why PQgetResult() failed is in the
# line after it.
/Broken pipe/ && NR > 1 { next }
/Error message from server: / && first ~ /^.*PQget.*\(\) failed\.$/ {
    sub(/^.*Error message from server: +/, "")
    sub(/^(ERROR|FATAL): +/, "")
    first = $0
    exit
}
/(error|ERROR|FATAL|fatal): / {
    if (found) exit
    sub(/^.*(error|ERROR|FATAL|fatal): +/, "")
    first = $0
    found = 1
}
found && sub(/^DETAIL: +/, "") {
    sub(/\.$/, "")
    first = first " (" $0 ")"
    exit
}
NR == 1 && !found {
    first = $0
    sub(/^[^ ]*: WARNING: +|^WARNING: +/, "", first)
}
END {
    sub(/^(SSL SYSCALL error: )?EOF detected$/, "server closed the connection unexpectedly", first)
    sub(/Container [0-9a-f]+ is not running/, "the container is not running", first)
    print first
}
