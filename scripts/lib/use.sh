# shellcheck shell=sh
# Sourcing libraries. Those of the base come with this one: they need nothing but the shell.
# Needs: root
# Sets: awk json project sql

# use LIBRARY...: sources lib/LIBRARY.sh
use() {
    for library; do
        . "$root/scripts/lib/$library.sh"
    done
}

unset CDPATH # with it, cd goes elsewhere and prints where
awk=$root/scripts/lib/awk
sql=$root/scripts/sql

# the project's directory as messages show it
project=$root
[ "$(pwd -P 2>/dev/null)" != "$root" ] || project=.

# is the result wanted as JSON? Decided before the options are parsed: their errors are JSON, too
case " $* " in *' --json '*) json=yes ;; *) json= ;; esac

use text hash messages options programs env-file service-file settings work json process python
