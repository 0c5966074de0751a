# Reads a list of names, then names or their numbers in that list, one a line; prints each of these
# as 'known NAME' or 'unknown NAME'. Upper and lower case are the same.
FILENAME == ARGV[1] { names[tolower($0)] = $0; numbers[FNR] = $0; next }
$0 == "" { next }
$0 in numbers { $0 = numbers[$0] }
tolower($0) in names { print "known " names[tolower($0)]; next }
{ print "unknown " $0 }
