# Prints a JSON array with a string for each input line that is not empty. Needs json.awk.
NF { list = list (list == "" ? "" : ", ") json_string($0) }
END { print "[" list "]" }
