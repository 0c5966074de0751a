# Replaces HERE by THERE in each line, once; both are environment variables.
{
    start = index($0, ENVIRON["HERE"])
    print substr($0, 1, start - 1) ENVIRON["THERE"] substr($0, start + length(ENVIRON["HERE"]))
}
