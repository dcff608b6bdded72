# SPDX-License-Identifier: Apache-2.0
"""Boxes as corners x1, y1, x2, y2 in pixels, and the points that predict them."""

import torch

STRIDES = (8, 16, 32)
TINY = 1e-7


def cells(rows, columns, stride):
    """Cell centres [rows * columns, 2] in strides, and the stride of each, [rows * columns, 1]."""
    y, x = torch.meshgrid(torch.arange(rows), torch.arange(columns), indexing="ij")
    centres = torch.stack([x, y], -1).reshape(-1, 2).float() + 0.5
    return centres, torch.full((len(centres), 1), float(stride))


def points(height, width):
    """Cell centres [A, 2] in pixels and their strides [A, 1]; fine level first, row by row."""
    levels = [cells(height // stride, width // stride, stride) for stride in STRIDES]
    centres = [centres * strides for centres, strides in levels]
    return torch.cat(centres), torch.cat([strides for _, strides in levels])


def boxes_of(distances, centres, strides):
    """Corners [B, A, 4] in pixels of predicted distances."""
    left_top, right_bottom = (distances * strides).split(2, -1)
    return torch.cat([centres - left_top, centres + right_bottom], -1)


def iou_of(a, b):
    """IoU of boxes [N, 4] with those at the same index."""
    return overlap(a, b)[0]


def overlap(a, b):
    """IoU of boxes [N, 4] at the same index, and the sizes [N, 2] of both."""
    sides = (torch.minimum(a[:, 2:], b[:, 2:]) - torch.maximum(a[:, :2], b[:, :2])).clamp(min=0)
    shared = sides.prod(1)
    size_a = (a[:, 2:] - a[:, :2]).clamp(min=0)
    size_b = (b[:, 2:] - b[:, :2]).clamp(min=0)
    union = size_a.prod(1) + size_b.prod(1) - shared
    return shared / (union + TINY), size_a, size_b
