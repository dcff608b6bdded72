# SPDX-License-Identifier: Apache-2.0
"""A small evaluator to follow training with; `./sightline model evaluate` is the judge."""

import numpy as np
import torch

from boxes import boxes_of, points
from data import SERVED_HEIGHT, SERVED_WIDTH, letterboxed

CONFIDENCE = 0.03
OVERLAP = 0.65
LIMIT = 300
MATCH = 0.5


def overlaps(a, b):
    """IoU [n, m] of boxes [n, 4] and [m, 4]."""
    shared = _shared(a, b)
    size_a, size_b = (a[:, 2:] - a[:, :2]).prod(1), (b[:, 2:] - b[:, :2]).prod(1)
    return shared / np.maximum(size_a[:, None] + size_b[None] - shared, 1e-9)


def _shared(a, b):
    low = np.maximum(a[:, None, :2], b[None, :, :2])
    high = np.minimum(a[:, None, 2:], b[None, :, 2:])
    return np.clip(high - low, 0, None).prod(2)


def suppressed(boxes, scores, limit=LIMIT):
    """Indices of what greedy non-maximum suppression keeps, best first."""
    order = np.argsort(-scores, kind="stable")
    kept = []
    while len(order) and len(kept) < limit:
        best, order = order[0], order[1:]
        kept.append(best)
        order = order[overlaps(boxes[best : best + 1], boxes[order])[0] <= OVERLAP]
    return kept


def detections(boxes, scores):
    """[n, 6] of class, score, corners out of boxes [A, 4] and scores [A, C] of one picture."""
    rows = []
    for kind in range(scores.shape[1]):
        chosen = np.flatnonzero(scores[:, kind] > CONFIDENCE)
        chosen = chosen[suppressed(boxes[chosen], scores[chosen, kind])]
        column = np.full((len(chosen), 1), kind)
        rows.append(np.concatenate([column, scores[chosen, kind, None], boxes[chosen]], 1))
    rows = np.concatenate(rows)
    return rows[np.argsort(-rows[:, 1], kind="stable")][:LIMIT]


@torch.no_grad()
def predict(model, images):
    """Detections of each picture of a batch [B, 3, H, W] in its pixels."""
    logits, distances = model(images)
    centres, strides = points(*images.shape[2:])
    boxes = boxes_of(distances, centres, strides).numpy()
    scores = logits.sigmoid().numpy()
    return [detections(b, s) for b, s in zip(boxes, scores)]


def average_precisions(found, truths, ignores, classes):
    """AP at IoU 0.5 of each class, NaN where the truth has none of it.

    found: per picture [n, 6] of class, score, corners; truths: [m, 5]; ignores: [k, 4]. A detection
    that overlaps an ignored region instead of an object counts neither way.
    """
    result = np.full(classes, np.nan)
    for kind in range(classes):
        scores, right, total = [], [], 0
        for rows, truth, ignore in zip(found, truths, ignores):
            rows = rows[rows[:, 0] == kind]
            boxes = truth[truth[:, 0] == kind, 1:]
            total += len(boxes)
            free = np.ones(len(boxes), bool)
            iou = overlaps(rows[:, 2:], boxes)
            size = np.maximum((rows[:, 4:] - rows[:, 2:4]).prod(1), 1e-9)
            pardoned = (_shared(rows[:, 2:], ignore) / size[:, None] > MATCH).any(1)
            for n in range(len(rows)):
                candidate = np.where(free, iou[n], 0)
                hit = len(boxes) > 0 and candidate.max() >= MATCH
                if hit:
                    free[candidate.argmax()] = False
                elif pardoned[n]:
                    continue
                scores.append(rows[n, 1])
                right.append(hit)
        if total:
            result[kind] = _area(np.array(scores), np.array(right, bool), total)
    return result


def _area(scores, right, total):
    """Under the precision envelope at 101 recalls, as COCO has it."""
    right = right[np.argsort(-scores, kind="stable")]
    hits = np.cumsum(right)
    precision = hits / np.arange(1, len(right) + 1)
    envelope = np.maximum.accumulate(precision[::-1])[::-1]
    at = np.searchsorted(hits / total, np.linspace(0, 1, 101))
    return float(np.mean(np.append(envelope, 0)[np.minimum(at, len(right))]))


def evaluate(model, pictures, limit=None, width=SERVED_WIDTH, height=SERVED_HEIGHT, half=True):
    """AP 50 of each class over (some of) a data set, letterboxed as in service."""
    model.eval()
    step = 1 if limit is None else max(1, len(pictures) // limit)
    found, truths, ignores = [], [], []
    chosen = list(range(0, len(pictures), step))
    for start in range(0, len(chosen), 8):
        batch, gains = [], []
        for i in chosen[start : start + 8]:
            pixels = pictures.pixels(i, 0)
            canvas, wide, high, left, top = letterboxed(pixels, width, height)
            batch.append(canvas)
            truth, ignore = (rows.astype(np.float64) for rows in pictures.truth(i))
            scale = np.array([wide, high] * 2)
            shift = np.array([left, top, left, top])
            truth[:, 1:] = truth[:, 1:] * scale + shift
            truths.append(truth)
            ignores.append(ignore * scale + shift)
        images = torch.from_numpy(np.stack(batch)).permute(0, 3, 1, 2).float() / 255
        with torch.cpu.amp.autocast(enabled=half):
            found += predict(model, images)
    return average_precisions(found, truths, ignores, model.classes)
