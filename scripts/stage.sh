#!/bin/sh
# What the Dockerfiles do alike, as steps of their build stages; everything is staged under /out.
#
#   stage.sh packages LOCK      the locked packages as /out/opt/venv
#   stage.sh folder LOCK DIR    the locked packages as the plain folder /out/DIR
#   stage.sh code DIR WHEEL...  our own wheels as /out/DIR
#   stage.sh finish             the same date for every file, and all may read it: each stage's end
#
# example: RUN sh /tmp/stage.sh code opt/chartbuster /tmp/*.whl && sh /tmp/stage.sh finish
#
# The same files give the same bytes. Byte code is compiled package by package, each in a process of
# its own, because what a process compiled before shows in the bytes; and none of the packages is
# imported for it, since Python would write its byte code with the time.
set -eu

PYTHON=/usr/local/bin/python3.13
export PYTHONHASHSEED=0 PYTHONSAFEPATH=1 UV_LINK_MODE=copy

lean() {                                 # what only developers of the packages need
    find "$1" -type d \( -name tests -o -name include \) -prune -exec rm -r {} +
}

compile() {                              # DIR, whose folders are packages
    (cd "$1" && find . -maxdepth 1 -type d -not -name . | sort | xargs -P "$(nproc)" -n 1 \
        $PYTHON -m compileall -q --invalidation-mode unchecked-hash)
    (cd "$1" && $PYTHON -m compileall -q -l --invalidation-mode unchecked-hash .)
}

case ${1:-} in
    packages)
        site=/opt/venv/lib/python3.13/site-packages
        /tools/bin/uv venv --quiet --python $PYTHON /opt/venv
        /tools/bin/uv pip sync --quiet --python /opt/venv/bin/python --require-hashes "$2"
        lean $site
        compile $site
        printf '/opt/chartbuster\n/opt/executor\n' > $site/ours.pth
        mkdir -p /out/opt
        mv /opt/venv /out/opt/venv ;;
    folder)
        /tools/bin/uv pip install --quiet --python $PYTHON --target "/out/$3" --require-hashes -r "$2"
        lean "/out/$3"
        compile "/out/$3" ;;
    code)
        dir=/out/$2
        shift 2
        # They are pure Python and bring no scripts: unpacked is installed, in no time.
        for wheel in "$@"; do $PYTHON -m zipfile --extract "$wheel" "$dir"; done
        compile "$dir" ;;
    finish)
        chmod -R go=rX /out
        find /out -exec touch --no-dereference --date=1980-01-01T00:00:00Z {} + ;;
    *)
        sed -n '2,9s/^# \{0,1\}//p' "$0"
        [ "${1:-}" = --help ] || exit 2 ;;
esac
