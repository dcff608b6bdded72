#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# The whole recipe: scenes, pseudo-labels, both block forms for an equal short time, the final
# training, export, fusion, quantisation. Steps that are done are skipped, trainings go on where
# they stopped: run it again after any interruption. See README.md.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
work=${WORK:?WORK: expected a folder to work in, with 12 GB free}
python=${PYTHON:-/usr/bin/python3}
sightline=${SIGHTLINE:-$here/../../sightline}
processes=${PROCESSES:-$(nproc)}
scenes=${SCENES:-700}
frames=${FRAMES:-10}
held_out_scenes=${HELD_OUT_SCENES:-60}
short=${SHORT_MINUTES:-20}
mosaic=${MOSAIC_MINUTES:-33}
plain=${PLAIN_MINUTES:-27}
blocks=${BLOCKS:-qarepvgg}
# Clips to pseudo-label and the detectors that do it, separated by spaces; none by default.
clips=${CLIPS:-}
teachers=${TEACHERS:-}

mkdir -p "$work"

# Everything of a step is written beside its place and moved there at the end.
once() {
    local result=$1
    shift
    [ -e "$work/$result" ] && return
    rm -rf "$work/partial-$result"
    "$@" "$work/partial-$result"
    mv "$work/partial-$result" "$work/$result"
}

simulate() {
    "$sightline" simulate --scenes "$1" --frames-per-scene "$2" --seed "$3" --size 1280x720 \
        --fps "$4" --output "$5"
}

label() {
    # shellcheck disable=SC2086
    "$python" "$here/pseudo_label.py" $clips --teachers $teachers --sightline "$sightline" \
        --output "$1"
}

train() {
    local name=$1 form=$2
    shift 2
    [ -e "$work/$name/done" ] && return
    nice -n 19 "$python" -W ignore "$here/train.py" --data "${data[@]}" --shares "${shares[@]}" \
        "${crops[@]}" --held-out "$work/held-out" --work "$work" --output "$work/$name" \
        --processes "$processes" --blocks "$form" "$@"
    touch "$work/$name/done"
}

convert() {
    local name=$1
    [ -e "$work/$name/fused.onnx" ] && return
    "$python" -W ignore "$here/export.py" "$work/$name/checkpoint.pt" "$work/$name/trained.onnx"
    "$sightline" model fuse --model "$work/$name/trained.onnx" --out "$work/$name/partial.onnx"
    mv "$work/$name/partial.json" "$work/$name/fused.json"
    mv "$work/$name/partial.onnx" "$work/$name/fused.onnx"
}

quantize() {
    local name=$1
    [ -e "$work/$name/int8/report.json" ] && return
    "$sightline" model quantize --model "$work/$name/fused.onnx" --images "$work/held-out" \
        --out "$work/$name/int8" --max-loss 0.01 || echo "run.sh: a gate failed for $name" >&2
}

once scenes simulate "$scenes" "$frames" 1 0.7
once held-out simulate "$held_out_scenes" 5 1000001 0.5
data=("$work/scenes")
shares=(1)
crops=()
if [ -n "$clips" ]; then
    once clips label
    data+=("$work/clips/frames")
    shares+=(0.06)
    crops=(--crops "$work/clips/crops")
fi

if [ "$short" != 0 ]; then
    for form in qarepvgg repvgg; do
        half=$(awk "BEGIN { print $short / 2 }")
        train "short-$form" "$form" --minutes-mosaic "$half" --minutes-plain "$half" \
            --evaluate-minutes 1000
        convert "short-$form"
        quantize "short-$form"
    done
fi
train final "$blocks" --minutes-mosaic "$mosaic" --minutes-plain "$plain"
convert final
quantize final
echo "run.sh: $work/final/fused.onnx is the float model, $work/final/int8 holds the INT8 ones"
