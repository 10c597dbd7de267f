# Shared by the scripts for clusters. Sourced, not run.
# shellcheck shell=bash

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck disable=SC2034  # used by scripts that source this
root=$(cd "$here/../.." && pwd)
dry_run=''

die() {
  printf 'error: %s\n' "$*" >&2
  exit 1
}

# The comment at a script's head, as its help.
usage() {
  sed -n '2,/^set/{/^set/d;s/^# \{0,1\}//;p}' "$0"
}

# Runs a command, and prints it first; with --dry-run it only prints it.
run() {
  printf '+'
  printf ' %q' "$@"
  printf '\n'
  [ -n "$dry_run" ] || "$@"
}

# on HOST COMMANDS: runs a shell's commands on a machine, as root, and prints them first.
on() {
  printf "+ ssh -o BatchMode=yes %s 'sudo sh -ec \"\$(cat)\"' <<'END'\n%s\nEND\n" "$1" "$(sed '/^$/d' <<<"$2")"
  # They are read whole before the first is run, so that none of them can swallow the rest.
  # shellcheck disable=SC2016  # that is for the other side to expand
  [ -n "$dry_run" ] || ssh -o BatchMode=yes "$1" 'sudo sh -ec "$(cat)"' <<<"$2"
}

need() {
  [ -n "$dry_run" ] || command -v "$1" >/dev/null || die "$1 is missing$2"
}

# A name that may go into a command on another machine.
plain() {
  [[ $1 =~ ^[A-Za-z0-9]([A-Za-z0-9.@_-]*[A-Za-z0-9])?$ ]] || die "$1 is no name of a machine"
}
