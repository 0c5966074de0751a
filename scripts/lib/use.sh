# shellcheck shell=sh
# Sourcing libraries, those of the base first: they need nothing but the shell.

# use LIBRARY...: sources lib/LIBRARY.sh
use() {
    for library; do
        . "$root/scripts/lib/$library.sh"
    done
}

use messages settings process python
