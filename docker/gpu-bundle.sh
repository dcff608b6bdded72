#!/usr/bin/env bash
#
# Packs Sightline with everything it needs but an NVIDIA driver: a Java runtime, the jars, and the
# CUDA and TensorRT libraries. For machines without Java, Maven or network.
#
#   mvn package -Pgpu -DskipTests && docker/gpu-bundle.sh build/sightline-gpu
#
#   docker/gpu-bundle.sh [--cpu] [--split] FOLDER
#
#   --cpu    without the GPU's libraries: of a distribution built without -Pgpu
#   --split  leave FOLDER.tar.gz in parts of at most 60 MiB as well, with their checksums
#
# On the other machine: FOLDER/sightline --help, FOLDER/gpu-report.sh --help, or, from parts, first
#   cat FOLDER.tar.gz.part-* | tar xz
set -euo pipefail

fail() {
    echo "gpu-bundle: $*" >&2
    exit 1
}

gpu=yes
split=
out=
for argument in "$@"; do
    case $argument in
        --cpu) gpu= ;;
        --split) split=yes ;;
        -*) fail "$argument is no option: --cpu, --split" ;;
        *)
            [ -z "$out" ] || fail "one folder to write, not $out and $argument"
            out=$argument
            ;;
    esac
done
[ -n "$out" ] || fail "which folder to write? docker/gpu-bundle.sh [--cpu] [--split] FOLDER"
[ ! -e "$out" ] || fail "$out is there already: remove it, or name another"

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd -P)
version=$(sed -n 's:.*<version>\(.*\)</version>.*:\1:p' "$root/pom.xml" | head -n 1)
distribution=$root/job/target/sightline-$version
[ -d "$distribution/lib" ] || fail "no distribution in $distribution: run mvn package -Pgpu -DskipTests"
redistributables=$(find "$distribution/lib" -name '*-redist.jar' | wc -l)
if [ -n "$gpu" ]; then
    [ "$redistributables" -gt 0 ] || fail "the distribution has no GPU libraries: run mvn package -Pgpu -DskipTests, or use --cpu"
else
    [ "$redistributables" -eq 0 ] || fail "the distribution has GPU libraries: leave --cpu out, or run mvn package without -Pgpu"
fi
java_home=${JAVA_HOME:-$(dirname "$(dirname "$(readlink -f "$(command -v javac || true)")")")}
[ -x "$java_home/bin/jlink" ] || fail "no jlink in $java_home/bin: set JAVA_HOME to a JDK 17"

mkdir -p "$(dirname "$out")"
cp -R "$distribution" "$out"
cp "$root/docker/gpu-report.sh" "$out/"

# Sightline, Flink and Kafka by what they load; what they may load more is small beside the rest.
"$java_home/bin/jlink" \
    --add-modules java.se,jdk.unsupported,jdk.management,jdk.crypto.ec,jdk.naming.dns,jdk.zipfs \
    --strip-debug --no-header-files --no-man-pages --output "$out/jre"

# Of NVIDIA's redistributables only what TensorRT's bindings load: a third of their size.
needed='lib(cudart|cublas|cublasLt|cudnn[a-z_]*|nvrtc|nvrtc-builtins|nvinfer|nvinfer_builder_resource|nvinfer_plugin|nvinfer_vc_plugin|nvonnxparser)\.so'
for jar in "$out"/lib/*-redist.jar; do
    [ -e "$jar" ] || continue
    trimmed=$(mktemp -d)
    (
        cd "$trimmed"
        "$java_home/bin/jar" xf "$jar"
        find . -name '*.so*' | grep -Ev "/$needed" | xargs -r rm -f
    )
    "$java_home/bin/jar" cf "$jar" -C "$trimmed" .
    rm -rf "$trimmed"
done

if [ -n "$split" ]; then
    tar -C "$(dirname "$out")" -czf - "$(basename "$out")" | split -b 60M -d -a 3 - "$out.tar.gz.part-"
    (cd "$(dirname "$out")" && sha256sum "$(basename "$out")".tar.gz.part-* >"$(basename "$out").sha256")
fi
echo "$out: $(du -sh "$out" | cut -f 1)${split:+, in $(find "$(dirname "$out")" -name "$(basename "$out").tar.gz.part-*" | wc -l) parts}"
