#!/usr/bin/env bash
# Makes docs/demo.gif and the screenshots in docs/images from the real program on its own sample data (large), all by itself:
# a venv of its own, Debian's gifsicle and fonts. Two workers of one thread each, so that there is a plan to see.
set -euo pipefail
cd "$(dirname "$0")/.."
root="$PWD"
build="${DEMO_BUILD:-$root/build/demo}"
mkdir -p "$build" docs/images

need=()
command -v gifsicle > /dev/null || need+=(gifsicle)
[ -e /usr/share/fonts/truetype/jetbrains-mono ] || need+=(fonts-jetbrains-mono)
[ -e /usr/share/fonts/truetype/dejavu/DejaVuSansMono.ttf ] || need+=(fonts-dejavu-core)
if [ ${#need[@]} -gt 0 ]; then
    sudo=""
    [ "$(id -u)" = 0 ] || sudo=sudo
    $sudo apt-get update -qq && $sudo apt-get install -y -qq "${need[@]}"
fi

python="$build/venv/bin/python"
if [ ! -x "$python" ]; then
    "${PYTHON:-python3}" -m venv "$build/venv"
fi
"$python" -m pip install -q --disable-pip-version-check -e . pyte pillow

data="$build/data"
if [ ! -e "$data/orders" ]; then
    "$build/venv/bin/flight" sample-data --to "$data" --size large
fi

export HOME="$build/home" XDG_STATE_HOME="$build/home/state"
rm -rf "$HOME" && mkdir -p "$HOME"
"$build/venv/bin/flight" serve --port 0 --data "$data" --workers 2 --threads 1 > "$build/ready" 2> "$build/server.log" &
server=$!
trap 'kill $server 2> /dev/null; wait $server 2> /dev/null || true' EXIT
for _ in $(seq 100); do
    grep -q '^ready' "$build/ready" && break
    sleep 0.2
done
uri="$(awk '/^ready/ { print $2 }' "$build/ready")"
[ -n "$uri" ] || { echo "the server did not start; see $build/server.log" >&2; exit 1; }

"$python" scripts/demo/record.py "$build/demo.cast" "$build/shots.json" "$build/venv/bin/flight" tui --uri "$uri"
"$python" scripts/demo/render.py "$build/demo.cast" "$build/shots.json" "$build/raw.gif" docs/images
gifsicle -O3 --lossy=20 "$build/raw.gif" -o docs/demo.gif
bytes="$(stat -c %s docs/demo.gif)"
echo "docs/demo.gif: $bytes bytes"
[ "$bytes" -lt 1500000 ] || { echo "docs/demo.gif is larger than 1.5 MB" >&2; exit 1; }
