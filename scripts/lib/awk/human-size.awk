# Prints the bytes that -v bytes says, with a unit: one decimal below 100, none from there on.
BEGIN {
    split("B kB MB GB TB", unit, " ")
    for (i = 1; bytes >= 999.5 && i < 5; i++) bytes /= 1000
    printf(i == 1 || bytes >= 99.95 ? "%.0f %s" : "%.1f %s", bytes, unit[i])
}
