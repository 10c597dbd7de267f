#!/bin/sh
# Stands in for a program that a test must not run; tells, by a file, that it was called.
touch "$CALLED"
