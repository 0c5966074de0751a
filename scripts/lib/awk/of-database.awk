# Prints the path of each line of the catalog that is of the database DATABASE (an environment
# variable), after a sort key: in descending order, trusted ones come first, each group by time.
# Needs catalog-fields.awk.

# As text: a name may look like a number.
($DATABASE "") == ENVIRON["DATABASE"] {
    print ($TRUST == "trusted" ? 1 : 0) " " $CREATED "\t" from_field(FILE)
}
