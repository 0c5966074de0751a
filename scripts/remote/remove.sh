#!/bin/sh
# remove.sh NAME: removes the run's temporary directory of that name.
rm -rf "${TMPDIR:-/tmp}/$1"
