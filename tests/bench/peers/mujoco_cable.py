#!/usr/bin/env python3
"""Times MuJoCo's elastic cable as the cantilever of the bench `rods`, and prints a table in markdown.

    python3 tests/bench/peers/mujoco_cable.py [--limit SECONDS]

700 mm of wire, 0.889 mm thick, EI 700 N mm2, GJ 0.77 EI, clamped at one end, a dead load P at the other at once, with
P L2 / EI = 1; the elastica comes to rest at a deflection of 0.30172 L. Time step 2 ms, `implicitfast`, CG, no contacts.
Makes itself a virtual environment with mujoco (below 4, which no longer knows the composite) in the user's cache folder.
"""

import argparse
import math
import os
import subprocess
import sys
import time
import venv
from pathlib import Path

PACKAGE = "mujoco<4"
LENGTH_M, DIAMETER_M, EI_N_M2, TORSION_RATIO = 0.7, 0.889e-3, 700e-6, 0.77
DENSITY_KG_PER_M3 = 5000.0
# Damping over stiffness of the joints, s: as the chains of the bench have it.
DAMPING_S = 0.3
ELASTICA = 0.30172
# A tip slower than this, in m/s, for half a second has settled.
SETTLED_M_PER_S = 0.5e-3
STEP_S, SIMULATED_S = 0.002, 20.0


def in_environment() -> None:
    """Goes on in the virtual environment, made on the first run."""
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    folder = cache / "cathnav" / "peers" / "mujoco"
    python = folder / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    if Path(sys.prefix).resolve() == folder.resolve():
        return
    if not python.exists():
        venv.create(folder, with_pip=True)
    has_it = subprocess.run([python, "-c", "import mujoco"], capture_output=True, check=False).returncode == 0
    if not has_it:
        subprocess.run([python, "-m", "pip", "install", "--quiet", PACKAGE], check=True)
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    sys.exit(subprocess.run([python, __file__, *sys.argv[1:]], check=False).returncode)


def scene(links: int) -> tuple[str, float]:
    """The scene, and the length of a link.

    The first link is fixed, so that the first joint, which stands for a whole link, lies half a link from the clamp: the
    cable is half a link longer than the wire.
    """
    h = LENGTH_M / (links - 0.5)
    r = DIAMETER_M / 2
    area_moment = math.pi * r**4 / 4
    bend = EI_N_M2 / area_moment
    twist = TORSION_RATIO * EI_N_M2 / (2 * area_moment)
    return (
        f"""
<mujoco>
  <option timestep="{STEP_S}" integrator="implicitfast" solver="CG" gravity="0 0 0"/>
  <extension><plugin plugin="mujoco.elasticity.cable"/></extension>
  <worldbody>
    <composite type="cable" prefix="wire" curve="s" count="{links + 1} 1 1" size="{links * h}" initial="none">
      <plugin plugin="mujoco.elasticity.cable">
        <config key="twist" value="{twist:.9g}"/>
        <config key="bend" value="{bend:.9g}"/>
        <config key="vmax" value="0"/>
      </plugin>
      <joint kind="main" damping="{DAMPING_S * EI_N_M2 / h:.9g}"/>
      <geom type="capsule" size="{r}" density="{DENSITY_KG_PER_M3}" contype="0" conaffinity="0"/>
    </composite>
  </worldbody>
</mujoco>""",
        h,
    )


def fall(links: int, limit_s: float) -> dict:
    """The cantilever from straight until it rests, or until the time for it is over."""
    import mujoco
    import numpy as np

    xml, h = scene(links)
    model = mujoco.MjModel.from_xml_string(xml)
    data = mujoco.MjData(model)
    mujoco.mj_forward(model, data)
    last = model.nbody - 1
    along = np.array([h, 0.0, 0.0])
    load = np.array([0.0, EI_N_M2 / LENGTH_M**2, 0.0])
    none = np.zeros(3)

    def tip() -> "np.ndarray":
        return data.xpos[last] + data.xmat[last].reshape(3, 3) @ along

    start = tip().copy()
    before = start
    own_s = simulated_s = quiet_s = 0.0
    state = "not at rest"
    while simulated_s < SIMULATED_S and own_s < limit_s:
        # The clock of the thread: waiting for a core does not count.
        clock = time.thread_time()
        data.qfrc_applied[:] = 0.0
        mujoco.mj_applyFT(model, data, load, none, tip(), last, data.qfrc_applied)
        mujoco.mj_step(model, data)
        own_s += time.thread_time() - clock
        simulated_s += STEP_S
        if data.warning[mujoco.mjtWarning.mjWARN_BADQACC].number or not np.isfinite(data.qpos).all():
            state = "unstable"
            break
        now = tip().copy()
        quiet_s = quiet_s + STEP_S if np.linalg.norm(now - before) < SETTLED_M_PER_S * STEP_S else 0.0
        before = now
        if quiet_s > 0.5:
            state = "at rest"
            break
    deflection_mm = float(np.linalg.norm((before - start)[1:])) * 1e3
    return {
        "links": links,
        "unknowns": model.nv,
        "factor": simulated_s / own_s,
        "ms": own_s / simulated_s * STEP_S * 1e3,
        "deflection_mm": deflection_mm,
        "error": deflection_mm / (ELASTICA * LENGTH_M * 1e3) - 1,
        "simulated_s": simulated_s,
        "state": state,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--limit", type=float, default=60.0, help="most computed seconds of one cable")
    parser.add_argument("--links", type=int, nargs="+", default=[50, 100, 200])
    options = parser.parse_args()
    in_environment()
    import mujoco

    print(f"mujoco {mujoco.__version__}, elastica {ELASTICA * LENGTH_M * 1e3:.1f} mm\n")
    print("| links | unknowns | step | x real time | tip | error | simulated |")
    print("|---|---|---|---|---|---|---|")
    for links in options.links:
        r = fall(links, options.limit)
        print(
            f"| {r['links']} | {r['unknowns']} | {r['ms']:.3f} ms | {r['factor']:.3f} | {r['deflection_mm']:.1f} mm "
            f"| {100 * r['error']:+.1f} % | {r['simulated_s']:.2f} s, {r['state']} |",
            flush=True,
        )


if __name__ == "__main__":
    main()
