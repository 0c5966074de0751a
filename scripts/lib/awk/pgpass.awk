# Fails unless a password file has a line, HOST:PORT:DATABASE:USER:PASSWORD, for PGHOST, PGPORT and
# PGUSER (environment variables), for any database.

BEGIN {
    wanted[1] = ENVIRON["PGHOST"]
    wanted[2] = ENVIRON["PGPORT"]
    wanted[4] = ENVIRON["PGUSER"]
}

/^[^#]/ {
    gsub(/\\\\/, "\001")
    gsub(/\\:/, "\002")
    count = split($0, field, ":")
    if (count >= 5 && field[3] == "*" && fits(1) && fits(2) && fits(4)) found = 1
}

END { exit !found }

function fits(place,    text) {
    text = field[place]
    gsub(/\001/, "\\", text)
    gsub(/\002/, ":", text)
    return text == "*" || text == wanted[place]
}
