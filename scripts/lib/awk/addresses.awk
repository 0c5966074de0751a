# addresses.awk: where a container's PostgreSQL can be reached from its host, host:port. Line 1 is
# the container's state and its own addresses, line 2 its published ports as JSON, in which docker
# and podman give the fields the same names. Without a network, an address is only a port.

NR == 1 {
    for (word = 2; word <= NF; word++)
        if ($word !~ /^:/)
            own = own " " $word
}

NR == 2 {
    published = split($0, port, /"HostIp":"/)
    for (place = 2; place <= published; place++) {
        split(port[place], part, /"/) # host , HostPort : port
        print host(part[1]) ":" part[5]
    }
}

END { print own }

function host(address) {
    if (address == "" || address == "0.0.0.0")
        return "127.0.0.1"
    if (address == "::")
        return "[::1]"
    return address ~ /:/ ? "[" address "]" : address
}
