# Prints the last error that rclone has reported: the cause, without time, level, the names of
# rclone's own steps and, for S3, numbers of the request.
/NOTICE: Config file / { next }
/(ERROR|CRITICAL) *:|Failed to / {
    sub(/^[0-9\/]+ [0-9:]+ /, "")
    sub(/^.*(ERROR|CRITICAL|NOTICE) *: /, "")
    sub(/^Failed to [a-z]+( with [0-9]+ errors)?: (last error was: )?/, "")
    sub(/^error in [A-Za-z]+: /, "")
    gsub(/operation error [A-Za-z0-9]+: [A-Za-z]+, /, "")
    gsub(/exceeded maximum number of attempts, [0-9]+, /, "")
    gsub(/https response error StatusCode: [0-9]+, RequestID: [^,]*, HostID: [^,]*, /, "")
    gsub(/request send failed, |api error |(Get|Head|Put|Post|Delete) "[^"]*": /, "")
    sub(/\.$/, "")
    last = $0
}
first == "" { first = $0 }
END { print (last != "" ? last : first != "" ? first : "rclone ended without a message") }
