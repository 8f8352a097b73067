#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# Stands in for podman in specs: "containers" are processes of this machine. Its folder has the state: `calls` gets the
# words of each call, a line each, `info` is what it answers to info, `ps` to ps, `images` the images that are there,
# `oom` whether a container was killed for its memory, and a file NAME.pid is there while a container runs.

here=${0%/*}
line=
for word; do
    line=$line${line:+|}$word
done
printf '%s\n' "$line" >> "$here/calls" # at once, as several run at a time

container() {
    entrypoint=
    while :; do
        case $1 in
        --name) name=$2 ;;
        --entrypoint) entrypoint=$2 ;;
        -v) case $2 in *:/mnt/mesos/sandbox) sandbox=${2%:*} ;; esac ;;
        -e) export "$2" ;;
        --privileged | --*=*) shift; continue ;;
        -*) ;;
        *) break ;;
        esac
        shift 2
    done
    shift # the image
    export sandbox
    [ ! -e "$here/slow" ] || while [ -e "$here/slow" ]; do sleep 0.05; done
    if [ "$entrypoint" ]; then
        "$entrypoint" "$@" &
    else
        "$@" &
    fi
    pid=$!
    echo "$pid" > "$here/$name.new" && mv "$here/$name.new" "$here/$name.pid"
    wait "$pid"
    status=$?
    rm -f "$here/$name.pid"
    exit "$status"
}

command=$1
shift
case $command in
info) cat "$here/info" ;;
ps) cat "$here/ps" ;;
rm) ;;
image) grep -q -x -F -- "$2" "$here/images" ;;
pull)
    case $1 in
    no-such) echo "no such image" >&2; exit 125 ;;
    esac
    echo "$1" >> "$here/images"
    ;;
run) container "$@" ;;
exec)
    while [ "$1" = -e ]; do
        export "$2"
        shift 2
    done
    shift
    exec "$@"
    ;;
inspect)
    case $2 in
    *Pid*) cat "$here/$3.pid" ;;
    *) cat "$here/oom" ;;
    esac
    ;;
kill) kill "-$2" "$(cat "$here/$3.pid")" ;;
*) echo "podman.sh does not know $command" >&2; exit 1 ;;
esac
