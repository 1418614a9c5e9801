#!/usr/bin/env python3
"""Reads DICOM files that `cathnav export` wrote with pydicom and says what is in them.

    python3 -m venv VENV && VENV/bin/pip install pydicom numpy
    cathnav record pelvic_bleeding --script pelvic_bleeding_expert --out run.cnr
    cathnav export run.cnr --dicom DIR
    VENV/bin/python tests/bench/peers/pydicom_check.py DIR

Fails (exit 1) when a tag of an angiography suite is missing, the pixels do not have their size, the subtraction by the
file's own mask does not show contrast where the run has it, or the dose report's totals are not the sums of its events.
"""

import sys
from pathlib import Path

import numpy as np
import pydicom

XA = "1.2.840.10008.5.1.4.1.1.12.1"
RDSR = "1.2.840.10008.5.1.4.1.1.88.67"
XA_TAGS = (
    "SOPInstanceUID StudyInstanceUID SeriesInstanceUID ImageType KVP XRayTubeCurrent ExposureTime AveragePulseWidth "
    "RadiationSetting RadiationMode FieldOfViewShape FieldOfViewDimensions ImagerPixelSpacing Grid FocalSpots "
    "DistanceSourceToDetector DistanceSourceToPatient PositionerMotion PositionerPrimaryAngle PositionerSecondaryAngle "
    "TableMotion CollimatorShape CineRate FrameTimeVector FrameIncrementPointer RecommendedViewingMode "
    "PixelIntensityRelationship IrradiationEventUID ImageAndFluoroscopyAreaDoseProduct NumberOfFrames"
).split()


def check(condition, words):
    if not condition:
        print("FAULT:", words)
        sys.exit(1)


def angiogram(path, data):
    missing = [tag for tag in XA_TAGS if tag not in data]
    check(not missing, f"{path.name}: missing {missing}")
    pixels = data.pixel_array.astype(float)
    frames = int(data.NumberOfFrames)
    if frames == 1:
        pixels = pixels[None]
    check(pixels.shape == (frames, data.Rows, data.Columns), f"{path.name}: pixels {pixels.shape}")
    check(len(data.FrameTimeVector if frames > 1 else [0]) == frames, f"{path.name}: frame times")
    line = (
        f"{path.name}: {frames} frames of {data.Columns} x {data.Rows}, {data.BitsStored} bits "
        f"{data.PixelIntensityRelationship}, {data.KVP:.1f} kV, {data.XRayTubeCurrent} mA, "
        f"{data.AveragePulseWidth:.1f} ms, angles {data.PositionerPrimaryAngle:.0f} {data.PositionerSecondaryAngle:.0f}, "
        f"{data.ImageAndFluoroscopyAreaDoseProduct:.2f} dGy cm2, {data.RecommendedViewingMode}"
    )
    if data.RecommendedViewingMode == "SUB":
        item = data.MaskSubtractionSequence[0]
        numbers = item.MaskFrameNumbers
        numbers = [numbers] if isinstance(numbers, int) else list(numbers)
        mask = pixels[[n - 1 for n in numbers]].mean(axis=0)
        contrast = mask[None] - pixels
        noise = np.std(contrast[0])
        peak = max(np.percentile(c, 99.9) for c in contrast)
        line += f", mask {numbers}, most contrast {peak / 300:.2f} ln, first frame {noise / 300:.3f} ln"
    print(line)


def numbers_of(items, code):
    for item in items:
        if item.ValueType == "NUM" and item.ConceptNameCodeSequence[0].CodeValue == code:
            yield float(item.MeasuredValueSequence[0].NumericValue)


def dose_report(path, data):
    check(data.ContentTemplateSequence[0].TemplateIdentifier == "10001", "template")
    total = None
    rows = []
    for item in data.ContentSequence:
        code = item.ConceptNameCodeSequence[0].CodeValue
        if code == "113702":
            total = item.ContentSequence
        elif code == "113706":
            rows.append(item.ContentSequence)
    check(total is not None and rows, "no accumulated data or no event")
    kap = next(numbers_of(total, "113722"))
    kerma = next(numbers_of(total, "113725"))
    kap_sum = sum(next(numbers_of(r, "122130")) for r in rows)
    kerma_sum = sum(next(numbers_of(r, "113738")) for r in rows)
    print(
        f"{path.name}: {len(rows)} events, dose area product {kap:.4e} Gy m2 (events {kap_sum:.4e}), dose at the reference "
        f"point {kerma:.5f} Gy (events {kerma_sum:.5f}), fluoroscopy {next(numbers_of(total, '113730')):.1f} s, "
        f"{next(numbers_of(total, '113731')):.0f} frames"
    )
    check(abs(kap - kap_sum) <= 1e-5 * kap and abs(kerma - kerma_sum) <= 1e-5 * kerma, "totals are not the sums")
    for needed in ("112011", "113750", "113733", "113734", "113768", "113793", "113742"):
        check(all(list(numbers_of(r, needed)) for r in rows), f"an event without {needed}")


def main():
    folder = Path(sys.argv[1])
    found = {XA: 0, RDSR: 0}
    for path in sorted(folder.glob("*.dcm")):
        data = pydicom.dcmread(path)
        found[data.SOPClassUID] += 1
        if data.SOPClassUID == XA:
            angiogram(path, data)
        else:
            dose_report(path, data)
    check(found[XA] > 0 and found[RDSR] == 1, f"found {found}")
    print(f"pydicom {pydicom.__version__}: all read")


if __name__ == "__main__":
    main()
