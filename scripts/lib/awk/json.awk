# Text as a JSON string, with '?' for bytes that cannot be part of UTF-8. Needs LC_ALL=C.

function json_string(text,    i) {
    text = replaced(replaced(text, "\\", "\\\\"), "\"", "\\\"")
    if (text ~ /[\001-\037]/)
        for (i = 1; i < 32; i++) text = replaced(text, sprintf("%c", i), sprintf("\\u%04x", i))
    if (text ~ /[\200-\377]/) text = without_invalid_utf8(text)
    return "\"" text "\""
}

function without_invalid_utf8(text,    result) {
    while (match(text, /[\200-\377]/)) {
        result = result substr(text, 1, RSTART - 1)
        text = substr(text, RSTART)
        if (!match(text, /^[\302-\337][\200-\277]/) &&
            !match(text, /^[\340-\357][\200-\277][\200-\277]/) &&
            !match(text, /^[\360-\364][\200-\277][\200-\277][\200-\277]/)) {
            result = result "?"
            text = substr(text, 2)
        } else {
            result = result substr(text, 1, RLENGTH)
            text = substr(text, RLENGTH + 1)
        }
    }
    return result text
}

function replaced(text, old, new,    result, place) {
    while ((place = index(text, old)) > 0) {
        result = result substr(text, 1, place - 1) new
        text = substr(text, place + 1)
    }
    return result text
}
