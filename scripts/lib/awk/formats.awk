# Numbers, sizes, times and names for people, and what times are calculated with.

function with_commas(number) {
    while (match(number, /[0-9][0-9][0-9][0-9](,|$)/))
        number = substr(number, 1, RSTART) "," substr(number, RSTART + 1)
    return number
}

# One decimal below 100, none from there on.
function human_size(bytes,    unit, i) {
    split("B kB MB GB TB", unit, " ")
    for (i = 1; bytes >= 999.5 && i < 5; i++) bytes /= 1000
    return sprintf(i == 1 || bytes >= 99.95 ? "%.0f %s" : "%.1f %s", bytes, unit[i])
}

# In one unit, as short as kubectl prints it: 45m, 7h, 3d, 2y. Up to a day in the future is 0m.
function short_age(seconds) {
    if (seconds < -86400) return "future"
    if (seconds < 3600) return int(seconds < 0 ? 0 : seconds / 60) "m"
    if (seconds < 2 * 86400) return int(seconds / 3600) "h"
    if (seconds < 2 * 365 * 86400) return int(seconds / 86400) "d"
    return int(seconds / 86400 / 365) "y"
}

# Days from 1970-01-01 to the date with which a text 'YYYY-MM-DD…' starts.
function day_of(time,    year, month, days) {
    year = substr(time, 1, 4) + 0
    month = substr(time, 6, 2) + 0
    if (month < 3) {
        year--
        month += 12
    }
    days = 365 * year + int(year / 4) - int(year / 100) + int(year / 400)
    return days + int((153 * (month - 3) + 2) / 5) + substr(time, 9, 2) - 719469
}

# Seconds from 1970 to a time 'YYYY-MM-DD HH:MM:SS UTC'.
function seconds_of(time) {
    return ((day_of(time) * 24 + substr(time, 12, 2)) * 60 + substr(time, 15, 2)) * 60 \
        + substr(time, 18, 2)
}

# Is it more than a day after `now`? Then a clock was wrong.
function is_in_future(time, now) {
    return time != "-" && seconds_of(time) > seconds_of(now) + 86400
}

# The width of a UTF-8 text on a terminal: about two for each East Asian character or emoji, one for
# any other. Needs LC_ALL=C, where awk counts bytes.
function width_of(text,    width) {
    gsub(/[\200-\277]/, "", text) # leaves one byte of each character
    width = length(text)
    return width + gsub(/[\343-\355\360]/, "", text)
}

# The text, padded with spaces to this width.
function left_aligned(text, width) {
    for (width -= width_of(text); width > 0; width--) text = text " "
    return text
}

# The text, cut to a width of at most 16.
function shortened(text) {
    if (width_of(text) <= 16) return text
    while (width_of(text) > 13) sub(/[^\200-\277][\200-\277]*$/, "", text)
    return text "..."
}
