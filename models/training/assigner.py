# SPDX-License-Identifier: Apache-2.0
"""Task-aligned assignment of true objects to points (https://arxiv.org/abs/2108.07755, section 3.2).

Pairs of object and point are kept as a list, since few of the possible ones lie within a box: on a
CPU that is many times faster than a dense tensor over all of them.
"""

import torch

from boxes import iou_of

TOP_K = 13
ALPHA = 1.0
BETA = 6.0

# A box narrower than the finest stride may contain no point at all; it is searched this wide.
SMALLEST_SEARCH = 8.0


@torch.no_grad()
def assign(scores, boxes, centres, truth):
    """Which object each point is to find, and how well it should say so.

    scores: [B, A, C] in 0..1; boxes: [B, A, 4] corners; centres: [A, 2];
    truth: [M, 6] of picture, class, corners.

    Returns point indices into B*A, indices into truth, and target scores, one a positive point.
    """
    points = centres.shape[0]
    picture, kind, box = truth[:, 0].long(), truth[:, 1].long(), truth[:, 2:]
    centre = (box[:, :2] + box[:, 2:]) / 2
    reach = ((box[:, 2:] - box[:, :2]) / 2).clamp(min=SMALLEST_SEARCH / 2)
    inside = (centres[None] - centre[:, None]).abs() < reach[:, None]
    which, point = (inside[..., 0] & inside[..., 1]).nonzero(as_tuple=True)
    at = picture[which] * points + point

    iou = iou_of(boxes.reshape(-1, 4)[at], box[which]).clamp(min=0)
    score = scores.reshape(-1, scores.shape[2])[at, kind[which]]
    alignment = score**ALPHA * iou**BETA

    keep = _best(which, alignment, len(truth)) & (alignment > 0)
    which, at, iou, alignment = which[keep], at[keep], iou[keep], alignment[keep]

    # A point that several objects want goes to the one it overlaps most.
    count = scores.shape[0] * points
    keep = iou == _maximum(iou, at, count)[at]
    which, at, iou, alignment = which[keep], at[keep], iou[keep], alignment[keep]
    keep = _first_of_each(at, count)
    which, at, iou, alignment = which[keep], at[keep], iou[keep], alignment[keep]

    # The best-aligned point of an object is to reach its best IoU, the others in proportion.
    best = _maximum(alignment, which, len(truth))[which]
    target = alignment / best * _maximum(iou, which, len(truth))[which]
    return at, which, target


def _best(which, alignment, count):
    """Whether a pair is among the top k of its object; pairs are grouped by object."""
    order = torch.argsort(alignment, descending=True, stable=True)
    order = order[torch.argsort(which[order], stable=True)]
    pairs = torch.bincount(which, minlength=count)
    start = torch.cumsum(pairs, 0) - pairs
    rank = torch.empty_like(order)
    rank[order] = torch.arange(len(order)) - start[which[order]]
    return rank < TOP_K


def _maximum(values, index, count):
    return torch.zeros(count, dtype=values.dtype).scatter_reduce_(0, index, values, "amax")


def _first_of_each(index, count):
    position = torch.arange(len(index))
    first = torch.full((count,), len(index)).scatter_reduce_(0, index, position, "amin")
    return first[index] == position
