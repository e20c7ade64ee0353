# Sourced by the other scripts. Makes .venv and installs Volley into it; does nothing where that was done already.

# What decides an installation, as a checksum: the declared needs, and for a copy (not an editable install) the sources too.
checksum() {
    { cat setup.cfg pyproject.toml; [ "$1" = test ] || find planner operators flight_server tui -name '*.py' -print0 | sort -z | xargs -0 cat; } |
        sha256sum | cut -d' ' -f1
}

# is_installed MARK: whether exactly this was installed already.
is_installed() { [ "$(cat ".venv/.installed-$1" 2> /dev/null)" = "$(checksum "$1")" ]; }

# make_venv: .venv with a Python of 3.11 or newer.
make_venv() {
    [ -x .venv/bin/python ] && .venv/bin/python -c 'import pip' 2> /dev/null && return
    local python
    for python in "${PYTHON:-}" python3.11 python3.12 python3.13 python3.14 python3; do
        [ -n "$python" ] && command -v "$python" > /dev/null || continue
        "$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2> /dev/null || continue
        echo "making .venv with $("$python" --version)" >&2
        "$python" -m venv .venv 2> /dev/null && return
        # Debian keeps ensurepip in a package of its own.
        install_by_apt python3-venv && "$python" -m venv .venv && return
    done
    echo "error: no Python of version 3.11 or newer with venv was found; set PYTHON to one" >&2
    return 1
}

# pip_install MARK WHAT…: installs unless exactly this was installed before.
pip_install() {
    local mark="$1"
    is_installed "$mark" && return
    shift
    echo "installing $* (a minute the first time)" >&2
    rm -f .venv/.installed-*
    .venv/bin/python -m pip install --quiet --disable-pip-version-check "$@"
    checksum "$mark" > ".venv/.installed-$mark"
}

# install_by_apt PACKAGE…: as root or through a sudo that asks nothing; says so and fails elsewhere.
install_by_apt() {
    local as=()
    if [ "$(id -u)" -ne 0 ]; then
        if command -v sudo > /dev/null && sudo -n true 2> /dev/null; then as=(sudo -n); else
            echo "note: not root, so $* cannot be installed here; what needs it is skipped" >&2
            return 1
        fi
    fi
    command -v apt-get > /dev/null || return 1
    echo "installing $* by apt" >&2
    { "${as[@]}" apt-get update -qq && DEBIAN_FRONTEND=noninteractive "${as[@]}" apt-get install -y -qq --no-install-recommends "$@"; } > /dev/null 2>&1
}
