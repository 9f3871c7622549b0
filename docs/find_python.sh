#!/usr/bin/env bash
# Say where the Python of a version lies (find_python.sh 3.12): on the path, or among pyenv's. Exit code 1: nowhere.
set -u
for candidate in "$(command -v "python$1" || true)" "${PYENV_ROOT:-$HOME/.pyenv}"/versions/"$1".*/bin/python3; do
  [ -x "$candidate" ] && "$candidate" -c "import sys, venv; sys.exit('%d.%d' % sys.version_info[:2] != '$1')" 2>/dev/null \
    && { echo "$candidate"; exit 0; }
done
exit 1
