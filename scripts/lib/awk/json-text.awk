# Prints the input lines as one JSON string. Needs json.awk.
{ text = text (NR > 1 ? "\n" : "") $0 }
END { print json_string(text) }
