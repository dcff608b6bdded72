#!/usr/bin/env bash
#
# Measures models on a GPU: how fast they are in INT8, FP16 and FP32, by themselves and behind the
# batcher, whether they find what ONNX Runtime finds, and whether memory comes back. In a checkout
# or in the bundle that gpu-bundle.sh packs, which needs nothing but the driver.
#
#   gpu-report.sh models --images DATASET --out MODELS FILE.onnx[=DATASET] … [--float FILE.onnx …]
#   gpu-report.sh --models MODELS --images DATASET --out REPORT [options]
#
# The first, in a checkout on any machine: writes for ONNX Runtime and for TensorRT the float form of
# each FILE and, of those before --float, the INT8 form; YOLOv6-N and S with random weights; and the
# bundled model with simulated scenes. FILE=DATASET names other pictures for it, with labels of its
# classes.
#
# The second writes REPORT/report.md, the table, and REPORT/raw, what every command printed. A part
# that is done is not done again: what was cut short goes on where it was.
#
#   --backend NAME   tensorrt, or onnxruntime to try the command without a GPU (tensorrt)
#   --only PATTERN   parts whose names match, such as 'yolov6s-*' or memory
#   --minutes N      begin no part after N minutes; the same command does the rest (no limit)
#   --batches N,…    full batches to time (1,8,32)
#   --seconds S      length of each measurement (3)
#   --threads N      that fill batches (the cores)
#   --open-close N   how often a lane is opened and closed; a tenth as many loads fail (1000)
#
# DATASET holds the folders images and labels (YOLO text files).
set -euo pipefail

fail() {
    echo "gpu-report: $*" >&2
    exit 1
}

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd -P)
sightline=$here/sightline
[ -x "$sightline" ] || sightline=$here/../sightline
[ -x "$sightline" ] || fail "no sightline in $here or above it: run this in a checkout or in an unpacked bundle"

mode=report
if [ "${1:-}" = models ]; then
    mode=models
    shift
fi
models='' images='' out='' backend=tensorrt only='*' minutes='' batches=1,8,32 seconds=3 open_close=1000
threads=$(getconf _NPROCESSORS_ONLN)
quantised=()
floats=()
float_only=
while [ $# -gt 0 ]; do
    option=$1
    shift
    case $option in
        -h | --help)
            sed -n '3,/^set /{/^set /d;s/^# \{0,1\}//;p}' "${BASH_SOURCE[0]}"
            exit 0
            ;;
        --float) float_only=yes ;;
        --*)
            [ $# -gt 0 ] || fail "$option: a value is missing: see --help"
            case $option in
                --models) models=$1 ;;
                --images) images=$1 ;;
                --out) out=$1 ;;
                --backend) backend=$1 ;;
                --only) only=$1 ;;
                --minutes) minutes=$1 ;;
                --batches) batches=$1 ;;
                --seconds) seconds=$1 ;;
                --threads) threads=$1 ;;
                --open-close) open_close=$1 ;;
                *) fail "$option is no option: see --help" ;;
            esac
            shift
            ;;
        *)
            [ -f "${option%%=*}" ] || fail "${option%%=*}: no such file"
            if [ -n "$float_only" ]; then floats+=("$option"); else quantised+=("$option"); fi
            ;;
    esac
done
[ -n "$images" ] || fail "which pictures? --images DATASET"
{ [ -d "$images/images" ] && [ -d "$images/labels" ]; } || fail "$images: found no folders images and labels in it"
[ -n "$out" ] || fail "where to? --out DIR"

# --- models

# prepare FILE NAME: the float form for both engines
prepare() {
    local fused=$out/work/$2.onnx target dequantise=()
    if grep -q ConvInteger "$1"; then dequantise=(--dequantize); fi
    "$sightline" model fuse --model "$1" --out "$fused" "${dequantise[@]}"
    for target in tensorrt onnxruntime; do
        mkdir -p "$out/$target"
        "$sightline" model prepare --model "$fused" --target "$target" --out "$out/$target/$2-float.onnx"
    done
}

# quantise NAME DATASET: the INT8 form for both; accuracy is not what is asked here, so nothing is
# tried out and no gate is set
quantise() {
    local work=$out/work/$1-int8 target
    mkdir -p "$work"
    cat >"$out/work/$1.yaml" <<SETTINGS
model: $1.onnx
output: $1-int8
images: {report: {path: $(cd "$2" && pwd -P)}}
partial: none
sensitivity: {images: 1, average_precision: false}
correction: off
low_bits: []
variants: false
speed: {rounds: 1}
gate: {max_loss: 1.0, min_speedup: 0.0, min_int8_share: 0.0}
SETTINGS
    "$sightline" model quantize --config "$out/work/$1.yaml"
    for target in tensorrt onnxruntime; do
        cp "$work/$1-$target.onnx" "$out/$target/$1-int8.onnx"
        cp "$work/$1-$target.json" "$out/$target/$1-int8.json"
    done
}

if [ "$mode" = models ]; then
    mkdir -p "$out/work/synth"
    for name in yolov6n yolov6s; do
        file=$out/work/synth/$name-synth.onnx
        [ -e "$file" ] || "$sightline" model synth --model "$name" --version 2.0 --out "$file"
        quantised+=("$file")
    done
    for given in "${quantised[@]}" "${floats[@]}"; do
        file=${given%%=*}
        name=$(basename "$file" .onnx)
        dataset=$images
        if [ "$given" != "$file" ]; then
            dataset=$out/$name-images
            [ -d "$dataset" ] || cp -R "${given#*=}" "$dataset"
        fi
        if [ ! -e "$out/onnxruntime/$name-float.onnx" ]; then
            echo "== $name, float"
            prepare "$file" "$name"
        fi
        case " ${floats[*]:-} " in *" $given "*) continue ;; esac
        if [ ! -e "$out/onnxruntime/$name-int8.onnx" ]; then
            echo "== $name, int8"
            quantise "$name" "$dataset"
        fi
    done
    # The bundled model is there for both, and knows other classes.
    bundled=$here/../job/src/main/resources/models/sightline-n6
    if [ -f "$bundled-tensorrt.onnx" ]; then
        mkdir -p "$out/tensorrt" "$out/onnxruntime"
        for ending in onnx json; do
            cp "$bundled-tensorrt.$ending" "$out/tensorrt/sightline-n6-int8.$ending"
            cp "$bundled.$ending" "$out/onnxruntime/sightline-n6-int8.$ending"
        done
        [ -d "$out/sightline-n6-images" ] || "$sightline" simulate --output "$out/sightline-n6-images" --scenes 30
    fi
    # Small, since nothing but opening and closing it is of interest.
    if [ ! -e "$out/open-close.onnx" ]; then
        "$sightline" model synth --model yolov6n --version 2.0 --width 64 --height 64 --out "$out/open-close.onnx"
    fi
    echo "$out: $(find "$out/tensorrt" -name '*.onnx' | wc -l) models for TensorRT, as many for ONNX Runtime; $out/work is not needed any more"
    exit 0
fi

# --- report
[ -d "$models/$backend" ] || fail "--models ${models:-is missing}: found no folder $backend in it: make one with gpu-report.sh models"
cache=$out/engines
raw=$out/raw
mkdir -p "$raw" "$cache"
largest=$(tr , '\n' <<<"$batches" | sort -n | tail -n 1)

engine=(--backend "$backend")
if [ "$backend" = tensorrt ]; then engine+=(--engine-cache "$cache"); fi

# step PART NAME COMMAND…: what it prints goes to raw, and a failure is that part's alone
step() {
    local log=$raw/$1.$2.txt
    shift 2
    [ -e "$log" ] && return 0
    echo "+ $*" >"$log.part"
    if "$@" >>"$log.part" 2>"$log.err"; then
        mv "$log.part" "$log"
        return 0
    fi
    tail -n 3 "$log.err" >&2
    return 1
}

measure() { # PART FILE PRECISION
    local part=$1 file=$2 dataset=$images precision=() reference=$2 name
    name=$(basename "$file" .onnx)
    name=${name%-*}
    if [ -d "$models/$name-images" ]; then dataset=$models/$name-images; fi
    if [ "$backend" = tensorrt ]; then
        precision=(--precision "$3")
        step "$part" build "$sightline" model build --onnx "$file" --max-batch "$largest" "${precision[@]}" --engine-cache "$cache" || return 1
    else
        # ONNX Runtime agrees with itself: there the float model is what INT8 is held against.
        if [ -e "$models/$backend/$name-float.onnx" ]; then reference=$models/$backend/$name-float.onnx; fi
    fi
    step "$part" bench "$sightline" model bench "${engine[@]}" "${precision[@]}" --model "$file" --images "$dataset" \
        --batches "$batches" --seconds "$seconds" --threads "$threads" || return 1
    step "$part" agree "$sightline" model evaluate --images "$dataset" --model "$reference" --model "$file" \
        --backend "onnxruntime,$backend" "${precision[@]}" --engine-cache "$cache" --max-batch "$largest"
}

memory() {
    # A heap that neither grows nor shrinks, so that what grows is not Java's.
    SIGHTLINE_JAVA_OPTS="${SIGHTLINE_JAVA_OPTS:-} -Xms256m -Xmx256m -XX:+AlwaysPreTouch" \
        step memory open-close "$sightline" model bench "${engine[@]}" --model "$models/open-close.onnx" --open-close "$open_close"
}

parts=()
for file in "$models/$backend"/*-int8.onnx "$models/$backend"/*-float.onnx; do
    [ -e "$file" ] || continue
    name=$(basename "$file" .onnx)
    case $backend-$name in
        *-int8) parts+=("${name%-int8}-int8 $file int8") ;;
        tensorrt-*) parts+=("${name%-float}-fp16 $file fp16" "${name%-float}-fp32 $file fp32") ;;
        *) parts+=("${name%-float}-fp32 $file fp32") ;;
    esac
done
parts+=("memory - -")

left=()
failed=()
for part in "${parts[@]}"; do
    read -r name file precision <<<"$part"
    # shellcheck disable=SC2254
    case $name in $only) ;; *) continue ;; esac
    if [ -e "$raw/$name.done" ]; then continue; fi
    if [ -n "$minutes" ] && [ "$SECONDS" -ge $((minutes * 60)) ]; then
        left+=("$name")
        continue
    fi
    echo "== $name"
    measured=yes
    if [ "$name" = memory ]; then
        memory || measured=
    else
        measure "$name" "$file" "$precision" || measured=
    fi
    if [ -n "$measured" ]; then touch "$raw/$name.done"; else failed+=("$name"); fi
done

# --- the table, of all that is there
{
    echo "# Images a second"
    echo
    for bench in "$raw"/*.bench.txt; do
        if [ -e "$bench" ] && grep '^GPU ' "$bench"; then break; fi
    done
    if [ -r /proc/driver/nvidia/version ]; then head -n 1 /proc/driver/nvidia/version; fi
    echo "$(sed -n 's/^model name[^:]*: *//p' /proc/cpuinfo | head -n 1), $(getconf _NPROCESSORS_ONLN) cores; $threads threads fill batches; $backend; $(date -u +%Y-%m-%d)"
    echo
    echo "| model | precision | batch | lanes | engine alone | with copies | batcher, bytes | batcher, JPEG | bytes / engine | mAP, ONNX Runtime | mAP | matched |"
    echo "|---|---|---|---|---|---|---|---|---|---|---|---|"
    for part in "${parts[@]}"; do
        read -r name _ precision <<<"$part"
        [ "$name" != memory ] || continue
        agree=$raw/$name.agree.txt
        accuracy='not measured | not measured | not measured |'
        if [ -e "$agree" ]; then
            accuracy=$(awk '{for (i = 2; i < NF; i++) if ($i == "linear") map[$1] = $(i + 1)} $2 == "matched" {matched = $3 " (" $6 ")"} END {print map[1] " | " map[2] " | " matched " |"}' "$agree")
        fi
        if [ -e "$raw/$name.bench.txt" ]; then
            awk -v model="${name%-*}" -v precision="$precision" -v accuracy="$accuracy" \
                '/^\| [0-9]/ {print "| " model " | " precision " " $0 " " accuracy}' "$raw/$name.bench.txt"
        else
            echo "| ${name%-*} | $precision | $batches | not measured | not measured | not measured | not measured | not measured | not measured | $accuracy"
        fi
    done
    echo
    echo "Engine alone: full batches back to back on the GPU, nothing copied. Matched: share of the detections of either with a score of 0.4 or more that the other has too, at IoU 0.9 and within 0.05 of the score (of how many)."
    echo
    for build in "$raw"/*.build.txt; do
        [ -e "$build" ] || continue
        sed -n "s/^\([0-9]* of [0-9]* quantised convolutions read int8\)/- $(basename "$build" .build.txt): \1/p" "$build"
    done
    echo
    echo "# Memory"
    echo
    if [ -e "$raw/memory.open-close.txt" ]; then
        sed '/^+ /d;s/^/- /' "$raw/memory.open-close.txt"
    else
        echo "not measured"
    fi
} >"$out/report.md"
cat "$out/report.md"
[ ${#failed[@]} -eq 0 ] || echo "gpu-report: failed: ${failed[*]}: see $raw/*.err" >&2
[ ${#left[@]} -eq 0 ] || echo "gpu-report: left for the next time: ${left[*]}" >&2
[ ${#failed[@]} -eq 0 ] && [ ${#left[@]} -eq 0 ]
