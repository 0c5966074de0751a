# Prints the bytes that -v bytes says, with a unit.
BEGIN {
    split("B kB MB GB TB", unit, " ")
    for (i = 1; bytes >= 1000 && i < 5; i++) bytes /= 1000
    printf(i == 1 ? "%d %s" : "%.1f %s", bytes, unit[i])
}
