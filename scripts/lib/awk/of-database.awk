# Prints the path of each line of the catalog that is of the database DATABASE (an environment
# variable), after a sort key: in descending order, trusted ones come first, each group by time, and
# those dated in the future last. Needs formats.awk, catalog-fields.awk, and the time as `now`.

# As text: a name may look like a number.
($DATABASE "") == ENVIRON["DATABASE"] {
    print (is_in_future($CREATED, now) ? 0 : $TRUST == "trusted" ? 2 : 1) " " $CREATED "\t" \
        from_field(FILE)
}
