#!/usr/bin/env python3
"""Path lengths of gVirtualXRay and of ours through the same closed mesh in the same geometry, and the time of both.

    python3 tests/bench/peers/gvxr.py --cathnav PATH_OF_THE_PROGRAM [--pixels 1024] [--repeat 20]

A torus (radii 60 and 25 mm) of 16 384 triangles at the isocenter, seen straight and at LAO 25, CRA 15; source 750 mm from it,
detector 1100 mm from the source, field 420 mm diagonal. gVirtualXRay draws one image of one energy; its path length is
-ln(I / I0) / mu. Ours is the projector alone, on all cores. Makes itself a virtual environment with gvxr in the user's cache
folder; it needs an X display: Xvfb is started where there is none.
"""

import argparse
import math
import os
import shutil
import struct
import subprocess
import sys
import tempfile
import time
import venv
from pathlib import Path

PACKAGE = "gvxr"
MAJOR_MM, MINOR_MM, AROUND, ALONG = 60.0, 25.0, 128, 64
SOURCE_MM, SID_MM, FIELD_MM = 750.0, 1100.0, 420.0
VIEWS = [(0.0, 0.0), (25.0, 15.0)]
MU_PER_CM = 0.2
LIMIT = 0.01


def in_environment() -> None:
    """Goes on in the virtual environment, made on the first run, with a display."""
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    folder = cache / "cathnav" / "peers" / "gvxr"
    python = folder / "bin/python"
    if Path(sys.prefix).resolve() == folder.resolve():
        return
    if not python.exists():
        venv.create(folder, with_pip=True)
    has_it = subprocess.run([python, "-c", "import numpy"], capture_output=True, check=False).returncode == 0
    if not has_it:
        subprocess.run([python, "-m", "pip", "install", "--quiet", PACKAGE, "numpy"], check=True)
    os.environ.setdefault("LIBGL_ALWAYS_SOFTWARE", "1")
    display = None
    if not os.environ.get("DISPLAY"):
        if not shutil.which("Xvfb"):
            sys.exit("no display, and Xvfb is not installed")
        display = subprocess.Popen(["Xvfb", ":98", "-screen", "0", "1280x1024x24"], stderr=subprocess.DEVNULL)
        os.environ["DISPLAY"] = ":98"
        time.sleep(1.0)
    code = subprocess.run([python, __file__, *sys.argv[1:]], check=False).returncode
    if display:
        display.terminate()
    sys.exit(code)


def torus(path: Path) -> None:
    """Writes the mesh as binary STL, mm, normals outwards."""

    def corner(i: int, j: int) -> tuple[float, float, float]:
        a, b = 2 * math.pi * i / AROUND, 2 * math.pi * j / ALONG
        r = MAJOR_MM + MINOR_MM * math.cos(b)
        return (r * math.cos(a), r * math.sin(a), MINOR_MM * math.sin(b))

    triangles = []
    for i in range(AROUND):
        for j in range(ALONG):
            a, b, c, d = corner(i, j), corner(i + 1, j), corner(i + 1, j + 1), corner(i, j + 1)
            triangles += [(a, b, c), (a, c, d)]
    with path.open("wb") as out:
        out.write(b"torus".ljust(80) + struct.pack("<I", len(triangles)))
        for t in triangles:
            out.write(struct.pack("<12fH", 0, 0, 0, *t[0], *t[1], *t[2], 0))


def pose(primary_deg: float, secondary_deg: float) -> tuple:
    """Direction from the isocenter to the detector, and up on screen (patient frame LPS)."""
    a, b = math.radians(primary_deg), math.radians(secondary_deg)
    d = (math.sin(a) * math.cos(b), -math.cos(a) * math.cos(b), math.sin(b))
    right = (math.cos(a), math.sin(a), 0.0)
    up = (d[1] * right[2] - d[2] * right[1], d[2] * right[0] - d[0] * right[2], d[0] * right[1] - d[1] * right[0])
    return d, up


def peer(view: tuple[float, float], pixels: int, repeat: int):
    """Path lengths in mm and the median time of an image, ms."""
    import numpy as np
    from gvxrPython3 import gvxr

    d, up = pose(*view)
    gvxr.usePointSource()
    gvxr.setMonoChromaticPerPixelAtSDD(60.0, "keV", 1000)
    gvxr.setSourcePosition(*[-SOURCE_MM * x for x in d], "mm")
    gvxr.setDetectorPosition(*[(SID_MM - SOURCE_MM) * x for x in d], "mm")
    gvxr.setDetectorUpVector(*up)
    gvxr.setDetectorNumberOfPixels(pixels, pixels)
    pitch = FIELD_MM / math.sqrt(2) / pixels
    gvxr.setDetectorPixelSize(pitch, pitch, "mm")
    times = []
    for _ in range(repeat + 2):
        clock = time.perf_counter()
        image = gvxr.computeXRayImage()
        times.append((time.perf_counter() - clock) * 1e3)
    image = np.array(image, dtype=np.float64)
    length = -np.log(image / image.max()) / MU_PER_CM * 10.0
    return length, sorted(times[2:])[repeat // 2]


def ours(program: str, mesh: Path, view: tuple[float, float], pixels: int, repeat: int):
    """Path lengths in mm and the median time of a projection, ms."""
    import numpy as np

    out = mesh.with_suffix(".f32")
    run = subprocess.run(
        [program, "paths", mesh, "--primary", str(view[0]), "--secondary", str(view[1]), "--pixels", str(pixels),
         "--sid-mm", str(SID_MM), "--field-mm", str(FIELD_MM), "--repeat", str(repeat), "--out", out],
        check=True, capture_output=True, text=True)
    return np.fromfile(out, dtype="<f4").astype(np.float64).reshape(pixels, pixels), float(run.stdout.split()[0])


def closest(theirs, own):
    """Theirs turned as ours: image rows and columns may run the other way."""
    import numpy as np

    ways = [theirs, theirs[::-1], theirs[:, ::-1], theirs[::-1, ::-1]]
    return min(ways, key=lambda w: float(np.sum((w - own) ** 2)))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--cathnav", required=True, help="the program")
    parser.add_argument("--pixels", type=int, default=1024)
    parser.add_argument("--repeat", type=int, default=20)
    options = parser.parse_args()
    in_environment()
    import numpy as np
    from gvxrPython3 import gvxr

    gvxr.createOpenGLContext()
    rows, worst = [], 0.0
    with tempfile.TemporaryDirectory() as folder:
        mesh = Path(folder) / "torus.stl"
        torus(mesh)
        gvxr.loadMeshFile("torus", str(mesh), "mm")
        gvxr.setLinearAttenuationCoefficient("torus", MU_PER_CM, "cm-1")
        for view in VIEWS:
            theirs, their_ms = peer(view, options.pixels, options.repeat)
            own, own_ms = ours(options.cathnav, mesh, view, options.pixels, options.repeat)
            theirs = closest(theirs, own)
            hit = (own > 0) | (theirs > 1e-3)
            rms = float(np.sqrt(np.mean((own[hit] - theirs[hit]) ** 2) / np.mean(theirs[hit] ** 2)))
            worst = max(worst, rms)
            rows.append((view, rms, float(own.sum() / theirs.sum() - 1), own_ms, their_ms))
    print("| view (LAO, CRA) | RMS of path length | sum, ours over theirs | ours | gVirtualXRay |")
    print("|---|---|---|---|---|")
    for view, rms, total, own_ms, their_ms in rows:
        print(f"| {view[0]:.0f}, {view[1]:.0f} | {100 * rms:.4f} % | {100 * total:+.4f} % | {own_ms:.1f} ms | {their_ms:.1f} ms |")
    sys.stdout.flush()
    if worst > LIMIT:
        sys.exit(f"RMS {100 * worst:.2f} % is above {100 * LIMIT:.0f} %")


if __name__ == "__main__":
    main()
