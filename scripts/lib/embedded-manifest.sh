# shellcheck shell=sh
# The manifest inside a backup file, so that the two stay together: empty gzip members at the file's
# end carry it in their headers' extra field, which every program that unpacks gzip skips.
# Needs: work
# Sets: length_line_size manifest_limit member_data member_frame

member_data=8000        # bytes in a member at most: busybox takes no more than 16,000
member_frame=26         # a member's other bytes: 16 before the data, 10 after it
length_line_size=19     # the last line gives the length of all lines: 'length: ' and ten digits
manifest_limit=10000000 # bytes of a manifest at most

# embed_manifest MANIFEST: prints the members, to append to the file
embed_manifest() (
    cp "$1" "$work/embedded"
    printf 'length: %010d\n' "$(($(size_of "$1") + length_line_size))" >>"$work/embedded"
    left=$(size_of "$work/embedded")
    while [ "$left" -gt 0 ]; do
        size=$(data_size "$left")
        printf '\037\213\010\004\0\0\0\0\0\377'
        print_16_bits "$((size + 4))"
        printf TB
        print_16_bits "$size"
        tail -c "$left" "$work/embedded" | head -c "$size"
        printf '\003\0\0\0\0\0\0\0\0\0'
        left=$((left - size))
    done
)

# embedded_start FILE: how many bytes come before its manifest; fails where there is none
embedded_start() (
    left=$(embedded_length "$1")
    start=$(($(size_of "$1") - left - member_frame * ((left + member_data - 1) / member_data)))
    [ "$left" -gt 0 ] && [ "$start" -gt 0 ] && echo "$start"
)

# embedded_manifest FILE: prints it; fails where there is none
embedded_manifest() (
    start=$(embedded_start "$1") || return 1
    left=$(embedded_length "$1")
    while [ "$left" -gt 0 ]; do
        size=$(data_size "$left")
        tail -c "+$((start + 17))" "$1" 2>/dev/null | head -c "$size" # which stops reading early
        start=$((start + member_frame + size))
        left=$((left - size))
    done | sed '$d'
)

# embedded_length FILE: 0 where there is no manifest
embedded_length() {
    length=$(tail -c "$((length_line_size + 10))" "$1" | LC_ALL=C tr -cd 'a-z0-9: \n' |
        sed -n 's/^length: 0*\([1-9][0-9]*\)$/\1/p')
    if is_number "$length" && [ "$length" -le "$manifest_limit" ]; then
        echo "$length"
    else
        echo 0
    fi
}

# data_size LEFT: of the next member; the last one holds the whole length line
data_size() {
    if [ "$1" -le "$member_data" ]; then
        echo "$1"
    elif [ "$(($1 - member_data))" -lt "$length_line_size" ]; then
        echo "$((member_data - length_line_size))"
    else
        echo "$member_data"
    fi
}

# print_16_bits NUMBER: the low byte first, as gzip does
print_16_bits() {
    # shellcheck disable=SC2059 # the format is the two bytes, in octal
    printf "$(printf '\\%03o\\%03o' $(($1 % 256)) $(($1 / 256)))"
}
