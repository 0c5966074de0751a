# Prints the settings of a service in libpq's service file, NAME=VALUE, `skipped KEY` for what the
# scripts do not use, and `error SENTENCE`. Fails unless the file has that service: -v service.

BEGIN {
    setting["dbname"] = "TB_POSTGRES_DATABASE"
    setting["user"] = "TB_POSTGRES_USER"
    setting["password"] = "TB_POSTGRES_PASSWORD"
    setting["passfile"] = "PGPASSFILE"
    setting["sslmode"] = "PGSSLMODE"
    setting["sslrootcert"] = "PGSSLROOTCERT"
    setting["sslcert"] = "PGSSLCERT"
    setting["sslkey"] = "PGSSLKEY"
    port = 5432
}

{ gsub(/^[ \t]+|[ \t\r]+$/, "") }

/^(#|$)/ { next }

/^\[/ {
    if (found) exit
    found = $0 == "[" service "]"
    next
}

found {
    key = $0
    sub(/=.*/, "", key)
    value = substr($0, length(key) + 2)
    if (key == "host") host = value
    else if (key == "port") port = value
    else if (key in setting) print setting[key] "=" value
    else if (key == $0 || key !~ /^[a-z_]+$/) print "error line " NR " is not KEY=VALUE"
    else print "skipped " key
}

END {
    if (!found) exit 1
    if (host == "") print "error no host is set"
    else print "TB_POSTGRES_ENDPOINT=" (host ~ /:/ ? "[" host "]" : host) ":" port
}
