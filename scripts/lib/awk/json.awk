# Text as a JSON string.

function json_string(text,    i) {
    text = replaced(replaced(text, "\\", "\\\\"), "\"", "\\\"")
    if (text ~ /[\001-\037]/)
        for (i = 1; i < 32; i++) text = replaced(text, sprintf("%c", i), sprintf("\\u%04x", i))
    return "\"" text "\""
}

function replaced(text, old, new,    result, place) {
    while ((place = index(text, old)) > 0) {
        result = result substr(text, 1, place - 1) new
        text = substr(text, place + 1)
    }
    return result text
}
