# SPDX-License-Identifier: Apache-2.0
"""VariFocal loss for classes, SIoU for boxes, and their sum over a batch."""

import math

import torch
from torch.nn import functional

from assigner import assign
from boxes import TINY, boxes_of, overlap

CLASS_WEIGHT = 1.0
BOX_WEIGHT = 2.5
VFL_ALPHA = 0.75
VFL_GAMMA = 2.0


def siou_loss(predicted, true):
    """1 - SIoU of boxes [N, 4] (https://arxiv.org/abs/2205.12740)."""
    iou, size_p, size_t = overlap(predicted, true)
    hull = torch.maximum(predicted[:, 2:], true[:, 2:]) - torch.minimum(
        predicted[:, :2], true[:, :2]
    )
    offset = (true[:, :2] + true[:, 2:] - predicted[:, :2] - predicted[:, 2:]) / 2

    # Angle cost: 0 along an axis, 1 at 45 degrees.
    along = offset.abs()
    sine = along.amin(1) / (along.square().sum(1) + TINY).sqrt()
    angle = torch.sin(2 * torch.arcsin(sine.clamp(max=math.sqrt(0.5))))

    rho = (offset / (hull + TINY)).square()
    distance = (1 - torch.exp((angle[:, None] - 2) * rho)).sum(1)

    omega = (size_p - size_t).abs() / (torch.maximum(size_p, size_t) + TINY)
    shape = (1 - torch.exp(-omega)).pow(4).sum(1)
    return 1 - iou + (distance + shape) / 2


def varifocal_loss(logits, targets, weights):
    """Sum over points and classes; positives count by their target, negatives by alpha p^gamma.

    https://arxiv.org/abs/2008.13367, equation 2.
    """
    p = logits.detach().sigmoid()
    weight = torch.where(targets > 0, targets, VFL_ALPHA * p.pow(VFL_GAMMA)) * weights
    return functional.binary_cross_entropy_with_logits(logits, targets, weight, reduction="sum")


def ignored_points(centres, ignore, pictures):
    """Points [B, A] inside a region to ignore; ignore: [K, 5] of picture, corners."""
    inside = torch.zeros(pictures, len(centres), dtype=torch.bool)
    if len(ignore):
        within = (centres[None] > ignore[:, None, 1:3]) & (centres[None] < ignore[:, None, 3:])
        which, point = (within[..., 0] & within[..., 1]).nonzero(as_tuple=True)
        inside[ignore[which, 0].long(), point] = True
    return inside


def detection_loss(logits, distances, centres, strides, truth, ignore):
    """Loss of a batch; truth: [M, 6] of picture, class, corners; ignore: [K, 5].

    Returns the loss, its class and box part, and the number of positive points.
    """
    pictures, points, classes = logits.shape
    boxes = boxes_of(distances, centres, strides)
    at, which, target = assign(logits.detach().sigmoid(), boxes.detach(), centres, truth)

    targets = torch.zeros(pictures * points, classes)
    targets[at, truth[which, 1].long()] = target
    weights = 1 - ignored_points(centres, ignore, pictures).reshape(-1, 1).float()
    weights[at] = 1
    total = target.sum().clamp(min=1)
    class_loss = varifocal_loss(logits.reshape(-1, classes), targets, weights) / total

    # In strides, so that the loss sees all levels alike.
    stride = strides.repeat(pictures, 1)[at]
    found = boxes.reshape(-1, 4)[at] / stride
    box_loss = (siou_loss(found, truth[which, 2:] / stride) * target).sum() / total
    return CLASS_WEIGHT * class_loss + BOX_WEIGHT * box_loss, class_loss, box_loss, len(at)
