#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# The whole recipe: scenes, pseudo-labels, both block forms for an equal short time, the training
# in stages, export, fusion, quantisation for both engines. Steps that are done are skipped, trainings go on where
# they stopped: run it again after any interruption. See README.md.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
work=${WORK:?WORK: expected a folder to work in, with 12 GB free}
python=${PYTHON:-/usr/bin/python3}
sightline=${SIGHTLINE:-$here/../../sightline}
processes=${PROCESSES:-$(nproc)}
scenes=${SCENES:-2800}
frames=${FRAMES:-2}
held_out_scenes=${HELD_OUT_SCENES:-60}
short=${SHORT_MINUTES:-12}
# A line for each stage, which begins with the weights of the one before: canvas and minutes with
# mosaic, canvas and minutes without, batch, peak learning rate.
stages=${STAGES:-"\
384x224 38 512x288 8 16 0.002
512x288 34 640x384 44  8 0.0012"}
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
    local folder=$work/$1
    [ -e "$folder/fused/sightline-n6.onnx" ] && return
    rm -rf "$folder/partial-fused"
    "$python" -W ignore "$here/export.py" "$folder/checkpoint.pt" "$folder/sightline-n6.onnx" \
        --provenance "trained by models/training on simulated scenes, seeds 1 to $scenes${clips:+, and 5% pseudo-labelled video}"
    "$sightline" model fuse --model "$folder/sightline-n6.onnx" \
        --out "$folder/partial-fused/sightline-n6.onnx"
    mv "$folder/partial-fused" "$folder/fused"
}

quantize() {
    local folder=$work/$1
    [ -e "$folder/int8/report.json" ] && return
    "$sightline" model quantize --model "$folder/fused/sightline-n6.onnx" \
        --images "$work/held-out" --out "$folder/int8" --max-loss 0.01 \
        --calibrate-count 64 --select-count 48 --low-bits none --no-variants \
        || echo "run.sh: a gate failed for $1" >&2
}

once scenes simulate "$scenes" "$frames" 1 0.15
once held-out simulate "$held_out_scenes" 5 1000001 0.5
data=("$work/scenes")
shares=(1)
crops=()
if [ -n "$clips" ]; then
    once clips label
    data+=("$work/clips/frames")
    shares+=(0.05)
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
stage=0
start=()
while read -r mosaic mosaic_minutes plain plain_minutes batch rate; do
    stage=$((stage + 1))
    train "stage-$stage" "$blocks" "${start[@]}" --mosaic-size "$mosaic" \
        --minutes-mosaic "$mosaic_minutes" --plain-size "$plain" \
        --minutes-plain "$plain_minutes" --batch "$batch" --rate "$rate" </dev/null
    start=(--start "$work/stage-$stage/checkpoint.pt")
done <<<"$stages"
convert "stage-$stage"
quantize "stage-$stage"
echo "run.sh: $work/stage-$stage/fused holds the float model, $work/stage-$stage/int8 the INT8 ones"
