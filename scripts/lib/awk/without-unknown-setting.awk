# Prints pg_restore's errors without the one that the setting transaction_timeout causes.
held != "" {
    if ($0 == "Command was: SET transaction_timeout = 0;") {
        held = ""
        next
    }
    print held
    held = ""
}
/could not execute query: / { held = $0; next }
{ print }
END { if (held != "") print held }
