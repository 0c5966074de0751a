# Prints the paths of those lines of the catalog that are of the database DATABASE (an environment
# variable), each after what they can be sorted by: the trusted ones above all, then by time. Needs
# catalog-fields.awk.

# As text: a name may look like a number.
($DATABASE "") == ENVIRON["DATABASE"] {
    print ($TRUST == "trusted" ? 1 : 0) " " $CREATED "\t" from_field(FILE)
}
