# Prints a JSON array with an object for each input line. `columns` names the fields, which tabs
# separate; the last one takes the rest of the line. A field is a number where its name ends in '#',
# and null where it is '-' or, as a number, empty. Needs json.awk.

BEGIN {
    FS = "\t"
    count = split(columns, name, " ")
    printf("[")
}

{
    printf("%s{", NR > 1 ? ", " : "")
    for (i = 1; i <= count; i++) {
        field = $i
        if (i == count) {
            field = $0
            for (j = 1; j < count; j++) sub(/^[^\t]*\t/, "", field)
        }
        print_member(name[i], field, i > 1 ? ", " : "")
    }
    printf("}")
}

END { print "]" }

function print_member(name, text, separator,    is_number) {
    is_number = sub(/#$/, "", name)
    if (text == "-" || (is_number && text !~ /^-?[0-9]+$/)) text = "null"
    else if (!is_number) text = json_string(text)
    printf("%s\"%s\": %s", separator, name, text)
}
