# shellcheck shell=sh
# Sourcing libraries. Those of the base come with this one: they need nothing but the shell.
# Needs: root

# use LIBRARY...: sources lib/LIBRARY.sh
use() {
    for library; do
        . "$root/scripts/lib/$library.sh"
    done
}

use messages options settings work process python
