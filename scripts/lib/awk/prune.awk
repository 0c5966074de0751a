# Decides which backups stay. Reads lines of the catalog, the newest first, and prints those that
# have an intact manifest, each after 'keep' or 'delete' and the reasons to keep it, separated by
# tabs. Each rule keeps the newest backup of its period, as in restic. Backups are counted
# separately for each database; so are data-only backups, those without rows, and those that this
# machine did not sign. A backup whose last verification failed, or whose date is more than a day
# in the future, stays, and no rule counts it. Days are counted back from the newest backup, so that
# a wrong clock or missing nights delete nothing. Needs formats.awk, catalog-fields.awk, the time as
# `now`, and the rules as `last`, `within`, `daily`, `weekly` and `monthly`, each a number or empty.

!is_intact($STATE) { next }

$RESULT == "failed" {
    print "keep\tverification failed\t" $0
    next
}

is_in_future($CREATED, now) {
    print "keep\tdate in the future\t" $0
    next
}

{
    kind = $HOLDS FS $DATABASE FS ($ROWS == 0) FS ($TRUST == "trusted")
    day = day_of($CREATED)
    reasons = ""
    count[kind]++
    if (count[kind] == 1) {
        keep("newest" kind_in_words())
        newest[kind] = seconds_of($CREATED)
    }
    if ($RESULT == "ok" && !verified[kind]++) keep("newest verified" kind_in_words())
    if (count[kind] <= last) keep("last " last)
    if ($CREATED == "-") keep("no time")
    if (within && newest[kind] - seconds_of($CREATED) <= within * 86400)
        keep(within == 1 ? "last day" : "last " within " days")
    keep_period("daily", daily, day)
    keep_period("weekly", weekly, int((day + 3) / 7)) # from Monday on
    keep_period("monthly", monthly, substr($CREATED, 1, 7))
    print (reasons == "" ? "delete" : "keep") "\t" reasons "\t" $0
}

function kind_in_words() {
    return ($TRUST == "trusted" ? "" : " " $TRUST) ($HOLDS == "data only" ? " data-only" : "") \
        ($ROWS == 0 ? " without rows" : "")
}

function keep_period(rule, most, period) {
    if (kept[kind, rule] >= most + 0 || period == latest[kind, rule]) return
    kept[kind, rule]++
    latest[kind, rule] = period
    keep(rule)
}

function keep(reason) {
    reasons = reasons (reasons == "" ? "" : ", ") reason
}
