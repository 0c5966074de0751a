# Reads a list of names, then names or their numbers in that list, one a line; prints each of these
# as 'known NAME' or 'unknown NAME'.
FILENAME == ARGV[1] { names[$0]; numbers[FNR] = $0; next }
$0 == "" { next }
$0 in numbers { $0 = numbers[$0] }
{ print ($0 in names ? "known" : "unknown") " " $0 }
