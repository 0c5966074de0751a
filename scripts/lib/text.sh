# shellcheck shell=sh
# Text for people: without control characters, with commas and units; and what is a number.
# Needs: awk name_filter
# Sets: name_filter

name_filter= # a command of sed: a downloaded backup has its name on the remote

# printable TEXT: one line without control characters, which file and table names may contain
printable() {
    printf '%s' "$1" | LC_ALL=C tr '\001-\037\177' '?' | without_c1
}

# printable_lines: the same for the lines on standard input
printable_lines() {
    LC_ALL=C tr '\000-\011\013-\037\177' '?' | without_c1
}

# without_c1: U+0080 to U+009F are control characters too, and some terminals obey them
without_c1() {
    LC_ALL=C sed -e "s/$(printf '\302')[$(printf '\200')-$(printf '\237')]/?/g" -e "$name_filter"
}

# quoted TEXT: as one word of a shell command, in quotes if it needs them
quoted() {
    case $1 in
        *\'*) printf "'%s'" "$(printf '%s\n' "$1" | sed "s/'/'\\\\''/g")" ;;
        '' | *[!A-Za-z0-9_./-]*) printf "'%s'" "$1" ;;
        *) printf '%s' "$1" ;;
    esac
}

# in_one_line LINES: joined by commas
in_one_line() {
    printf '%s\n' "$1" | awk '{ printf("%s%s", NR > 1 ? ", " : "", $0) }'
}

# at_most COUNT: the first lines of standard input, and how many more there are
at_most() {
    awk -v most="$1" 'NR <= most; END { if (NR > most) print "and " NR - most " more" }'
}

# list_of COUNT: the same in one line: 'a, b and 3 more'
list_of() {
    in_one_line "$(at_most "$1")" | sed 's/, \(and [0-9]* more\)$/ \1/'
}

# take_whole ANSWER FILE: writes the answer to FILE without its last line, `~end`; fails if that or
# any other line is missing
take_whole() {
    sed '$d' "$1" >"$2" && { cat "$2" && echo '~end'; } | cmp -s - "$1"
}

# first_error FILE: the first error that a program has reported there, with its detail
first_error() {
    awk -f "$awk/first-error.awk" "$1" | without_position
}

# lines_in FILE OTHER: the lines of FILE that OTHER has too. An empty OTHER is not for grep: to
# busybox, it matches every line
lines_in() {
    [ ! -s "$2" ] || LC_ALL=C grep -Fx -f "$2" -- "$1" || [ $? -eq 1 ]
}

# lines_not_in FILE OTHER: those that OTHER lacks
lines_not_in() {
    if [ -s "$2" ]; then
        LC_ALL=C grep -Fxv -f "$2" -- "$1" || [ $? -eq 1 ]
    else
        cat -- "$1"
    fi
}

# is_number TEXT: only such text may reach $(( )), where some shells would run commands in any other
is_number() {
    case $1 in
        '' | *[!0-9]* | 0?* | ????????????????*) return 1 ;;
    esac
}

# with_commas TEXT: between the thousands of its numbers
with_commas() {
    printf '%s\n' "$1" | sed -e ':next' -e 's/\([0-9]\)\([0-9]\{3\}\)$/\1,\2/' \
        -e 's/\([0-9]\)\([0-9]\{3\}\)\([^0-9]\)/\1,\2\3/' -e 't next'
}

# amount NUMBER NOUN: prints '1 table' or '2,000 tables'
amount() {
    [ "$1" -eq 1 ] || set -- "$1" "$2s"
    echo "$(with_commas "$1") $2"
}

# human_size BYTES
human_size() {
    LC_ALL=C awk -v bytes="$1" -f "$awk/formats.awk" -f "$awk/human-size.awk"
}

# now_in_utc: as the manifests write a time
now_in_utc() {
    date -u '+%Y-%m-%d %H:%M:%S'
}

# user_name: who runs this
user_name() {
    named=$(id -un 2>/dev/null) || named=$(id -u) # GNU id prints a number, and fails
    echo "$named"
}

# without_position: standard input without the script's name and line, with which a shell's errors
# begin
without_position() {
    sed 's/^\(.*\.\)\{0,1\}sh: \(line \)\{0,1\}[0-9]\{1,\}: //'
}
