#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# Runs all tests of mesos-lua: installs what is missing, builds into build/, checks the sources, runs the
# specs. The last line is the sum, "N passed, N failed"; the exit status is 0 if nothing failed.
#
#   sh spec/run.sh [--asan | --hard | --valgrind | --quick | --peers | --packages | --ci] [busted's arguments, such as spec/loop_spec.lua]
#
#   --asan       the specs on a build with AddressSanitizer and UndefinedBehaviorSanitizer (build-asan/)
#   --hard       the host's specs on that build, with a full collection of garbage at every chance
#   --valgrind   the specs with the program under valgrind
#   --quick      the specs alone, without the checks of the sources
#   --peers      a scheduler and an executor on mesos-go (spec/peers), against the local cluster; installs Go
#   --packages   the packages (spec/packages): Debian's in a clean Debian, as root, with Debian's mirror; LuaRocks'
#   --ci         first as without an option, then --asan and --hard, then each fuzz target for a while; also with
#                CI=true
set -u
cd "$(dirname "$0")/.."

mode=normal
[ "${CI-}" = true ] && mode=ci
case "${1-}" in
--asan | --hard | --valgrind | --quick | --peers | --packages | --ci)
    mode=${1#--}
    shift
    ;;
esac
fuzz_seconds=${FUZZ_SECONDS:-15}
at_once=${SPEC_JOBS:-3} # files of specs

scratch=$(mktemp -d "${TMPDIR:-/tmp}/mesos-lua-spec.XXXXXX")
trap 'rm -rf "$scratch"' EXIT
trap 'exit 1' HUP INT TERM
counts=$scratch/counts
: >"$counts"

# Prints the sum of all counts, and ends.
finish() {
    awk '{ passed += $1; failed += $2; skipped += $3 }
        END {
            printf "%d passed, %d failed", passed, failed
            if (skipped > 0)
                printf ", %d skipped", skipped
            printf "\n"
            exit passed == 0 || failed > 0
        }' "$counts"
    exit $?
}

# check NAME COMMAND...: counts the command as passed or failed, and shows its output if it failed.
check() {
    name=$1
    shift
    if "$@" >"$scratch/output" 2>&1; then
        echo "1 0 0" >>"$counts"
        echo "$name: fine"
    else
        echo "0 1 0" >>"$counts"
        echo "FAILED: $name"
        cat "$scratch/output"
        return 1
    fi
}

# build TREE [CMAKE ARGUMENT...]
build() {
    tree=$1
    shift
    {
        cmake -S . -B "$tree" -G Ninja -DCMAKE_C_COMPILER="${compiler:-gcc}" "$@" && cmake --build "$tree" ${target:+--target "$target"}
    }
}

c_files() {
    find host bindings spec examples -name '*.[ch]' -print0
}

check_format() {
    c_files | xargs -0 clang-format --dry-run -Werror
}

check_lua() {
    luacheck -q host lua examples spec
}

check_shell() {
    for script in spec/*.sh examples/*.sh .ci/run; do
        sh -n "$script" || return 1
    done
}

# The status of the tree by git; empty outside of a checkout.
tree_status() {
    git status --porcelain 2>/dev/null
}

# The specs leave the tree as it was.
check_tree() {
    tree_status >"$scratch/after"
    diff "$scratch/before" "$scratch/after"
}

# Those in $files, or all.
list_files() {
    if [ -n "${files-}" ]; then
        printf 'spec/%s_spec.lua\n' $files
    else
        find spec -path spec/peers -prune -o -path spec/packages -prune -o -name '*_spec.lua' -print | LC_ALL=C sort
    fi
}

# specs TREE [BUSTED'S ARGUMENT...]: runs them on that build. Specs mostly wait for the programs that they run, so
# several files at a time take turns; with arguments there is one run, and it is theirs.
specs() {
    export MESOS_LUA_BUILD="$1" MESOS_LUA="$PWD/$1/${program-mesos-lua}" SPEC_COUNTS="$counts"
    export SPEC_PRELOAD="${preload-}" SPEC_WRAPPER="${wrapper-}"
    shift
    if [ $# -gt 0 ]; then
        sh spec/support/spec_file.sh "$@"
    else
        list_files | xargs -P "$at_once" -n 1 sh spec/support/spec_file.sh
    fi
}

normal() {
    echo "Building into build/"
    check "build" build build -DMESOS_LUA_WERROR=ON || finish
    if [ $mode != quick ]; then
        echo "Checking the sources"
        check "includes" lua5.4 spec/support/includes.lua .
        check "clang-format" check_format
        check "luacheck" check_lua
        check "shell syntax" check_shell
    fi
    echo "Running the specs"
    specs build "$@"
}

sanitized() {
    # The interpreter that runs busted is not instrumented, but loads a module that is.
    preload=$(gcc -print-file-name=libasan.so)
    export ASAN_OPTIONS=detect_leaks=1:strict_string_checks=1:detect_stack_use_after_return=1
    export LSAN_OPTIONS="suppressions=$PWD/spec/support/leaks.supp:print_suppressions=0"
    export UBSAN_OPTIONS=print_stacktrace=1 SPEC_PATIENCE=3
    specs build-asan "$@"
    unset ASAN_OPTIONS LSAN_OPTIONS UBSAN_OPTIONS SPEC_PATIENCE
    preload=
}

build_sanitized() {
    echo "Building into build-asan/ with AddressSanitizer and UndefinedBehaviorSanitizer"
    check "build with sanitizers" build build-asan -DMESOS_LUA_WERROR=ON -DMESOS_LUA_SANITIZE=address,undefined || finish
}

asan() {
    build_sanitized
    echo "Running the specs on it"
    sanitized "$@"
}

# spec/support/fault_injection.h describes the hardship. Specs that measure time are not among these.
hard() {
    build_sanitized
    echo "Running the host's specs with collections at every chance"
    export MESOS_LUA_HARDSHIP=collect=3,doors=1
    program=spec/mesos-lua-hard
    files="reload lifetime control runaway exec executor process serialize script host driver calls known_issues http sandbox mistakes"
    sanitized "$@"
    unset MESOS_LUA_HARDSHIP program files
}

# Without a network: mesos-go and what it needs lie where Debian puts them.
build_peers() {
    export GOPATH=/usr/share/gocode GO111MODULE=off
    for peer in scheduler executor; do
        go vet "spec/peers/$peer/main.go" && go build -o "build/peers/$peer" "spec/peers/$peer/main.go" || return 1
    done
}

peers() {
    echo "Building into build/ and build/peers/"
    check "build" build build -DMESOS_LUA_WERROR=ON || finish
    check "build of the peers" build_peers || finish
    echo "Running their specs"
    [ $# -gt 0 ] || set -- spec/peers/peers_spec.lua
    specs build "$@"
}

make_packages() {
    target=installed
    build build-package -DMESOS_LUA_WERROR=ON -DCMAKE_INSTALL_PREFIX=/usr || return 1
    target=''
    rm -rf build-package/packages
    (cd build-package && cpack)
}

packages() {
    echo "Building into build-package/"
    check "packages" make_packages || finish
    echo "Running their specs in a clean Debian"
    [ $# -gt 0 ] || set -- spec/packages/packages_spec.lua spec/packages/rock_spec.lua
    specs build-package "$@"
}

valgrind_run() {
    echo "Building into build/"
    check "build" build build -DMESOS_LUA_WERROR=ON || finish
    echo "Running the specs under valgrind"
    memcheck="valgrind --quiet --error-exitcode=99 --leak-check=full --show-leak-kinds=definite,possible"
    memcheck="$memcheck --errors-for-leak-kinds=definite --child-silent-after-fork=yes"
    export MESOS_LUA_WRAPPER="$memcheck" SPEC_PATIENCE=20
    wrapper="$memcheck"
    specs build "$@"
    unset MESOS_LUA_WRAPPER SPEC_PATIENCE
    wrapper=
}

# Each target keeps a processor busy; the usual machine has two.
fuzz() {
    echo "Building the fuzz targets into build-fuzz/"
    compiler=clang target=fuzzers
    check "build of the fuzz targets" build build-fuzz -DMESOS_LUA_FUZZ=ON -DMESOS_LUA_SANITIZE=address,undefined || finish
    compiler='' target=''
    export SPEC_COUNTS="$counts"
    printf '%s\n' build-fuzz/fuzz/fuzz_* | xargs -P 2 -I TARGET sh spec/support/fuzz_file.sh TARGET "$fuzz_seconds"
}

sh spec/install.sh test || exit 1
[ $mode != peers ] || sh spec/install.sh peers || exit 1
[ $mode != packages ] || sh spec/install.sh packages || exit 1
tree_status >"$scratch/before"
case $mode in
normal | quick) normal "$@" ;;
asan) asan "$@" ;;
hard) hard "$@" ;;
peers) peers "$@" ;;
packages) packages "$@" ;;
valgrind) valgrind_run "$@" ;;
ci)
    normal "$@"
    asan "$@"
    hard "$@"
    fuzz
    ;;
esac
check "the tree is as it was" check_tree
finish
