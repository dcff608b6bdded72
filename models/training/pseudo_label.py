# SPDX-License-Identifier: Apache-2.0
"""Labels clips by several detectors that have to agree, and cuts their objects out.

Writes a data set of whole frames (OUT/frames) and cut-out objects to paste (OUT/crops). The
detectors run through `./sightline detect`; the clips must be of a camera that does not move.
"""

import argparse
import json
import pathlib
import subprocess

import cv2
import numpy as np

from evaluate import overlaps
from model import CLASSES

# Teachers say anything from here; two of them with this mean confidence make an object.
LEAST_CONFIDENCE = 0.2
CONFIDENCE = 0.5
AGREEMENT = 0.6

# A frame whose gray levels differ less than this on average from the last one kept is left out.
NEWS = 1.0

# A command line of some kilobytes is too long for the libraries behind the command.
FILES_AT_ONCE = 50

# A cut-out keeps this part of the object's sides around it.
PADDING = 0.06

# What moved: gray levels, and the least part of a picture that is asked about.
MOVED = 24
LARGE = 0.002

# Gaps smaller than this part of a cut-out are filled.
HOLE = 0.03


def frames_of(clip, every):
    """Every n-th frame that is new."""
    capture = cv2.VideoCapture(str(clip))
    frames, last, number = [], None, 0
    while True:
        ok, frame = capture.read()
        if not ok:
            break
        if number % every == 0:
            small = cv2.resize(cv2.cvtColor(frame, cv2.COLOR_BGR2GRAY), (96, 54)).astype(float)
            if last is None or np.abs(small - last).mean() >= NEWS:
                frames.append((number, frame))
                last = small
        number += 1
    if not frames:
        raise SystemExit(f"{clip}: no frames could be read; expected a video")
    return frames


def background_of(frames, answers):
    """The unmoving scene: the median, if possible of frames in which no teacher sees anything."""
    empty = [f for i, (_, f) in enumerate(frames) if not any(len(a[i]) for a in answers)]
    chosen = empty if len(empty) >= 5 else [f for _, f in frames]
    return np.median(chosen[:: max(1, len(chosen) // 100)], 0).astype(np.uint8)


def moved(frame, background):
    """1 where a frame differs from the unmoving scene."""
    mask = (cv2.absdiff(frame, background).max(2) > MOVED).astype(np.uint8)
    return cv2.morphologyEx(mask, cv2.MORPH_CLOSE, np.ones((7, 7), np.uint8))


def unexplained(mask, objects):
    """Boxes [k, 4] of large moved regions that lie in no object: nobody knows what they are."""
    mask = mask.copy()
    for x1, y1, x2, y2 in objects[:, 1:].astype(int):
        mask[max(y1 - 8, 0) : y2 + 8, max(x1 - 8, 0) : x2 + 8] = 0
    mask = cv2.morphologyEx(mask, cv2.MORPH_OPEN, np.ones((5, 5), np.uint8))
    _, _, stats, _ = cv2.connectedComponentsWithStats(mask)
    regions = [s[:4] for s in stats[1:] if s[cv2.CC_STAT_AREA] > LARGE * mask.size]
    regions = np.array(regions, float).reshape(-1, 4)
    regions[:, 2:] += regions[:, :2]
    return regions


def ask(sightline, teacher, files):
    """Detections of our classes, [n, 6] of class, score, corners for each file of one folder."""
    command = [str(pathlib.Path(sightline).resolve()), "detect", "--json"]
    command += ["--confidence", str(LEAST_CONFIDENCE), "--model", str(teacher.resolve())]
    found = {}
    for start in range(0, len(files), FILES_AT_ONCE):
        names = [file.name for file in files[start : start + FILES_AT_ONCE]]
        answer = subprocess.run(
            command + names, cwd=files[0].parent, check=True, stdout=subprocess.PIPE, text=True
        )
        for line in answer.stdout.splitlines():
            if line.startswith("{"):
                picture = json.loads(line)
                found[picture["file"]] = known(picture["objects"])
    return [found[file.name] for file in files]


def known(objects):
    """Those of our classes as [n, 6] of class, score, corners."""
    rows = []
    for thing in objects:
        if thing["label"] in CLASSES:
            x, y, w, h = (thing["bbox"][key] for key in ("x", "y", "width", "height"))
            kind = CLASSES.index(thing["label"])
            rows.append([kind, thing["confidence"], x, y, x + w, y + h])
    return np.array(rows).reshape(-1, 6)


def agreed(answers):
    """Objects that at least two teachers see alike, and boxes that are left uncertain.

    answers: one [n, 6] a teacher. Returns [m, 5] of class, corners, and [k, 4].
    """
    rows = np.concatenate([np.insert(a, 0, teacher, 1) for teacher, a in enumerate(answers)])
    rows = rows[np.argsort(-rows[:, 2], kind="stable")]
    objects, uncertain = [], []
    free = np.ones(len(rows), bool)
    for i in range(len(rows)):
        if not free[i]:
            continue
        near = free & (overlaps(rows[i : i + 1, 3:], rows[:, 3:])[0] >= AGREEMENT)
        free &= ~near
        same = rows[near & (rows[:, 1] == rows[i, 1])]
        # The best answer of each teacher.
        same = same[np.unique(same[:, 0], return_index=True)[1]]
        sure = len(same) >= 2 and same[:, 2].mean() >= CONFIDENCE
        if sure and len(np.unique(rows[near, 1])) == 1:
            weights = same[:, 2:3] / same[:, 2].sum()
            objects.append([rows[i, 1], *(same[:, 3:] * weights).sum(0)])
        else:
            uncertain.append(rows[i, 3:])
    return np.array(objects).reshape(-1, 5), np.array(uncertain).reshape(-1, 4)


def cut_out(frame, mask, box):
    """BGRA of an object and its box in that, by what moved; None where that is not clear."""
    height, width = frame.shape[:2]
    x1, y1, x2, y2 = box
    if x1 < 2 or y1 < 2 or x2 > width - 2 or y2 > height - 2:
        return None
    pad_x, pad_y = PADDING * (x2 - x1) + 3, PADDING * (y2 - y1) + 3
    left, top = max(int(x1 - pad_x), 0), max(int(y1 - pad_y), 0)
    piece = frame[top : int(y2 + pad_y), left : int(x2 + pad_x)]
    inner = np.zeros(piece.shape[:2], bool)
    inner[int(y1) - top : int(y2) - top, int(x1) - left : int(x2) - left] = True
    moving = (mask[top : int(y2 + pad_y), left : int(x2 + pad_x)] > 0) & inner
    if not 0.25 < moving[inner].mean() < 0.97:
        return None
    hint = np.where(moving, cv2.GC_PR_FGD, cv2.GC_BGD).astype(np.uint8)
    sure = cv2.erode(moving.astype(np.uint8), np.ones((15, 15), np.uint8))
    hint[sure > 0] = cv2.GC_FGD
    cv2.grabCut(piece, hint, None, np.zeros((1, 65)), np.zeros((1, 65)), 2, cv2.GC_INIT_WITH_MASK)
    shape = np.isin(hint, (cv2.GC_FGD, cv2.GC_PR_FGD)).astype(np.uint8)
    shape = cv2.morphologyEx(shape, cv2.MORPH_CLOSE, np.ones((5, 5), np.uint8))
    _, labels, stats, _ = cv2.connectedComponentsWithStats(shape)
    if len(stats) < 2:
        return None
    shape = (labels == 1 + stats[1:, cv2.CC_STAT_AREA].argmax()).astype(np.uint8)
    _, labels, stats, _ = cv2.connectedComponentsWithStats(1 - shape)
    holes = np.flatnonzero(stats[:, cv2.CC_STAT_AREA] < HOLE * shape.sum())
    shape[np.isin(labels, holes)] = 1
    x, y, w, h = cv2.boundingRect(shape)
    found = np.array([[x, y, x + w, y + h]], float)
    wanted = np.array([[x1 - left, y1 - top, x2 - left, y2 - top]])
    if overlaps(found, wanted)[0, 0] < 0.75:
        return None
    alpha = cv2.GaussianBlur(shape.astype(np.float32) * 255, (0, 0), 1.2).astype(np.uint8)
    return np.dstack([piece, alpha]), found[0]


def write_rows(file, rows, width, height):
    """Rows that end in corners, as parts of the picture."""
    lines = []
    for row in rows:
        x1, y1, x2, y2 = np.clip(row[-4:], 0, [width, height, width, height])
        values = ((x1 + x2) / 2 / width, (y1 + y2) / 2 / height, (x2 - x1) / width, (y2 - y1) / height)
        head = [str(int(row[0]))] if len(row) == 5 else []
        lines.append(" ".join(head + [f"{value:.6f}" for value in values]) + "\n")
    file.write_text("".join(lines))


def label(options):
    frames_folder, crops_folder = options.output / "frames", options.output / "crops"
    for folder in (frames_folder / "images", frames_folder / "labels", frames_folder / "ignore"):
        folder.mkdir(parents=True, exist_ok=True)
    crops_folder.mkdir(parents=True, exist_ok=True)
    index = []
    objects = 0
    for clip in options.clips:
        frames = frames_of(clip, options.every)
        files = []
        for number, frame in frames:
            files.append(frames_folder / "images" / f"{clip.stem}-{number:05d}.jpg")
            cv2.imwrite(str(files[-1]), frame, [cv2.IMWRITE_JPEG_QUALITY, 95])
        answers = [ask(options.sightline, teacher, files) for teacher in options.teachers]
        background = background_of(frames, answers)
        before = np.zeros((0, 4))
        for i, (file, (_, frame)) in enumerate(zip(files, frames)):
            sure, unsure = agreed([answer[i] for answer in answers])
            mask = moved(frame, background)
            unsure = np.concatenate([unsure, unexplained(mask, sure)])
            height, width = frame.shape[:2]
            write_rows(frames_folder / "labels" / f"{file.stem}.txt", sure, width, height)
            write_rows(frames_folder / "ignore" / f"{file.stem}.txt", unsure, width, height)
            objects += len(sure)
            # One that stands still is cut out once.
            still = (overlaps(sure[:, 1:], before) > 0.93).any(1)
            before = sure[:, 1:]
            for n, row in enumerate(sure):
                cut = None if still[n] else cut_out(frame, mask, row[1:])
                if cut is None:
                    continue
                name = f"{file.stem}-{n}.png"
                cv2.imwrite(str(crops_folder / name), cut[0])
                index.append(
                    {"file": name, "class": CLASSES[int(row[0])], "box": cut[1].tolist()}
                )
        print(f"{clip.name}: {len(files)} frames", flush=True)
    (crops_folder / "crops.json").write_text(json.dumps(index, indent=1) + "\n")
    print(f"{objects} objects, {len(index)} cut out", flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    add = parser.add_argument
    add("clips", nargs="+", type=pathlib.Path)
    add("--teachers", nargs="+", type=pathlib.Path, required=True, help="ONNX detectors, two or more")
    add("--output", type=pathlib.Path, required=True)
    add("--sightline", default="./sightline", help="the command")
    add("--every", type=int, default=4, help="frames between those looked at")
    options = parser.parse_args()
    if len(options.teachers) < 2:
        parser.error("--teachers: expected two or more, since two have to agree")
    label(options)


if __name__ == "__main__":
    main()
