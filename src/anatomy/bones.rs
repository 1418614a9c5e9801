//! Bones, skin, gas and lungs from signed-distance recipes (`body.md` 8). A bone is two closed surfaces: cortex
//! outside, trabecular inside, so that the X-ray shows rims, pedicle rings and a grey inside.

mod cervical;
mod compose;
mod limbs;
mod organs;
mod pelvis;
mod sdf;
mod skin;
mod skull;
mod spine;
mod thorax;

use super::description::{BodyDescription, BodyRegion};
use super::{BodySurface, Landmark, Material, Mesh};
use crate::math::Vec3;
use rayon::prelude::*;
use sdf::v;

/// Density of cortical bone, g/cm3 (ICRP 110).
const CORTICAL_G_PER_CM3: f64 = 1.92;

/// A bone to be meshed.
struct Recipe<'a> {
    name: &'a str,
    outer: Box<dyn Fn(&Vec3) -> f64 + Sync + 'a>,
    cortex_mm: Box<dyn Fn(&Vec3) -> f64 + Sync + 'a>,
    /// Compact bone, g/cm3; less where a plate is thinner than the grid can show.
    cortical_g_per_cm3: f64,
    /// Spongiosa, g/cm3 (ICRP 110, female).
    trabecular_g_per_cm3: f64,
    low: Vec3,
    high: Vec3,
    /// Mesh also the mirror image, `left` becoming `right`.
    is_paired: bool,
    /// Triangle edges over those of the description: large bones may be coarser.
    coarseness: f64,
}

/// Density of a whole rib, cortex and spongiosa together, g/cm3 (ICRP 110: 1.92 and 1.17, a third cortex `[D]`).
const RIB_G_PER_CM3: f64 = 1.4;
/// Density of a lung between breaths, g/cm3 (ICRP 110: 0.38 whole with its vessels; air spaces at rest `[D]`).
const LUNG_G_PER_CM3: f64 = 0.30;

/// All body surfaces, in the order of the overlap rule: skin, muscle, lungs, cortex, trabecular, gas.
pub(super) fn body(d: &BodyDescription) -> Vec<BodySurface> {
    if !d.parts.is_empty() {
        return compose::body(d);
    }
    match d.region {
        BodyRegion::Pelvis => {
            let hip = pelvis::HipBone::new();
            let mut all = skin::envelope(&skin::PELVIS);
            all.extend(compose::psoas(d));
            all.extend(bones(&pelvis_recipes(&hip), d));
            all.extend(skin::gas(d.grid_mm, d.edge_mm));
            all
        }
        BodyRegion::Thorax => {
            let mut all = skin::envelope(&thorax::STATIONS);
            all.extend(lungs(d));
            all.extend(bones(&thorax_recipes(), d));
            all.extend(ribs_of(d, 0..12));
            all
        }
    }
}

/// Cortex of all bones, then their trabecular insides.
fn bones(recipes: &[Recipe<'_>], d: &BodyDescription) -> Vec<BodySurface> {
    let mut cortex = Vec::new();
    let mut trabecular = Vec::new();
    let meshes: Vec<(Mesh, Mesh)> = recipes
        .par_iter()
        .map(|r| {
            let edge_mm = r.coarseness * d.edge_mm;
            let outer = sdf::mesh(&*r.outer, &r.low, &r.high, d.grid_mm, edge_mm);
            let inner_sdf = |p: &Vec3| (r.outer)(p) + (r.cortex_mm)(p);
            (outer, largest(sdf::mesh(&inner_sdf, &r.low, &r.high, d.grid_mm, edge_mm)))
        })
        .collect();
    for (r, (outer, inner)) in recipes.iter().zip(&meshes) {
        for side in 0..=usize::from(r.is_paired) {
            let is_mirror = side == 1;
            let name = if is_mirror { r.name.replace("left", "right") } else { r.name.to_owned() };
            let take = |m: &Mesh| if is_mirror { sdf::mirrored(m) } else { m.clone() };
            cortex.push(BodySurface {
                name: format!("{name}.cortex"),
                material: Material::CorticalBone,
                density_g_per_cm3: r.cortical_g_per_cm3,
                mesh: take(outer),
            });
            if !inner.triangles.is_empty() {
                trabecular.push(BodySurface {
                    name: format!("{name}.trabecular"),
                    material: Material::TrabecularBone,
                    density_g_per_cm3: r.trabecular_g_per_cm3,
                    mesh: take(inner),
                });
            }
        }
    }
    cortex.extend(trabecular);
    cortex
}

/// Ribs are too thin for two surfaces: one, filled with what cortex and spongiosa weigh together.
fn ribs_of(d: &BodyDescription, which: std::ops::Range<usize>) -> Vec<BodySurface> {
    let mut all = Vec::new();
    for rib in &thorax::ribs()[which] {
        let mesh = largest(sdf::mesh(&|p| rib.outer(p), &rib.low, &rib.high, d.grid_mm, d.edge_mm));
        for (name, mesh) in
            [(rib.name.replace("left", "right"), sdf::mirrored(&mesh)), (rib.name.clone(), mesh)]
        {
            let density_g_per_cm3 = RIB_G_PER_CM3;
            all.push(BodySurface { name, material: Material::TrabecularBone, density_g_per_cm3, mesh });
        }
    }
    all
}

fn lungs(d: &BodyDescription) -> Vec<BodySurface> {
    [("lung.left", 1.0), ("lung.right", -1.0)]
        .map(|(name, side)| {
            let (a, b) = (v(side * 2.0, -116.0, 196.0), v(side * 132.0, 64.0, 470.0));
            let sdf = |p: &Vec3| thorax::lung(p, side);
            let mesh = largest(sdf::mesh(&sdf, &a.inf(&b), &a.sup(&b), 2.0 * d.grid_mm, 2.0 * d.edge_mm));
            BodySurface {
                name: name.to_owned(),
                material: Material::SoftTissue,
                density_g_per_cm3: LUNG_G_PER_CM3,
                mesh,
            }
        })
        .into()
}

fn lumbar_recipes() -> Vec<Recipe<'static>> {
    spine::LUMBAR
        .iter()
        .map(|l| {
            let c = v(0.0, l.center_y_mm, l.center_z_mm);
            Recipe {
                name: l.name,
                outer: Box::new(|p| l.outer(p)),
                cortex_mm: Box::new(|p| l.cortex_mm(p)),
                cortical_g_per_cm3: CORTICAL_G_PER_CM3,
                trabecular_g_per_cm3: 1.171,
                low: c + v(-54.0, -30.0, -44.0),
                high: c + v(54.0, 82.0, 40.0),
                is_paired: false,
                coarseness: 1.0,
            }
        })
        .collect()
}

/// T1 to T12, then sternum and clavicles.
fn thoracic_recipes() -> Vec<Recipe<'static>> {
    let mut out = Vec::new();
    for t in &thorax::THORACIC {
        let c = v(0.0, t.center_mm.0, t.center_mm.1);
        out.push(Recipe {
            name: t.name,
            outer: Box::new(|p| t.outer(p)),
            cortex_mm: Box::new(|p| t.cortex_mm(p)),
            cortical_g_per_cm3: CORTICAL_G_PER_CM3,
            trabecular_g_per_cm3: 1.165,
            low: c + v(-44.0, -30.0, -62.0),
            high: c + v(44.0, 76.0, 34.0),
            is_paired: false,
            coarseness: 1.0,
        });
    }
    out.push(Recipe {
        name: "sternum",
        outer: Box::new(thorax::sternum),
        cortex_mm: Box::new(|_| 1.0),
        cortical_g_per_cm3: CORTICAL_G_PER_CM3,
        trabecular_g_per_cm3: 1.074,
        low: v(-40.0, -132.0, 274.0),
        high: v(40.0, -56.0, 436.0),
        is_paired: false,
        coarseness: 1.2,
    });
    out.push(Recipe {
        name: "clavicle.left",
        outer: Box::new(thorax::clavicle),
        cortex_mm: Box::new(|_| 1.8),
        cortical_g_per_cm3: CORTICAL_G_PER_CM3,
        trabecular_g_per_cm3: 1.151,
        low: v(8.0, -98.0, 412.0),
        high: v(172.0, -26.0, 480.0),
        is_paired: true,
        coarseness: 1.2,
    });
    out
}

/// Thoracic and lumbar spine, sternum and clavicles.
fn thorax_recipes() -> Vec<Recipe<'static>> {
    let mut out = thoracic_recipes();
    out.splice(12..12, lumbar_recipes());
    out
}

fn pelvis_recipes(hip: &pelvis::HipBone) -> Vec<Recipe<'_>> {
    let mut out: Vec<Recipe<'_>> = lumbar_recipes();
    out.push(Recipe {
        name: "sacrum",
        outer: Box::new(spine::sacrum),
        cortex_mm: Box::new(|_| 0.9),
        cortical_g_per_cm3: CORTICAL_G_PER_CM3,
        trabecular_g_per_cm3: 1.052,
        low: v(-64.0, -26.0, -116.0),
        high: v(64.0, 64.0, 22.0),
        is_paired: false,
        coarseness: 1.0,
    });
    out.push(Recipe {
        name: "coccyx",
        outer: Box::new(spine::coccyx),
        cortex_mm: Box::new(|_| 0.9),
        cortical_g_per_cm3: CORTICAL_G_PER_CM3,
        trabecular_g_per_cm3: 1.052,
        low: v(-14.0, 12.0, -138.0),
        high: v(14.0, 42.0, -104.0),
        is_paired: false,
        coarseness: 1.0,
    });
    out.push(Recipe {
        name: "hip.left",
        outer: Box::new(|p| hip.outer(p)),
        cortex_mm: Box::new(pelvis::HipBone::cortex_mm),
        cortical_g_per_cm3: CORTICAL_G_PER_CM3,
        trabecular_g_per_cm3: 1.109,
        low: v(-2.0, -108.0, -170.0),
        high: v(152.0, 68.0, 58.0),
        is_paired: true,
        coarseness: 1.2,
    });
    out.push(Recipe {
        name: "femur.left",
        outer: Box::new(pelvis::femur),
        cortex_mm: Box::new(pelvis::femur_cortex_mm),
        cortical_g_per_cm3: CORTICAL_G_PER_CM3,
        trabecular_g_per_cm3: 1.046,
        low: v(58.0, -58.0, -250.0),
        high: v(150.0, 10.0, -74.0),
        is_paired: true,
        coarseness: 1.2,
    });
    out
}

/// A thin stripe through points with radii, meshed on a grid of its own.
pub(super) fn stripe(points: &[(Vec3, f64)], grid_mm: f64) -> Mesh {
    let reach = |s: f64| points.iter().map(move |(p, r)| p.add_scalar(s * (r + 2.0 * grid_mm)));
    let low = reach(-1.0).fold(points[0].0, |l, p| l.inf(&p));
    let high = reach(1.0).fold(points[0].0, |h, p| h.sup(&p));
    sdf::mesh(&|p| sdf::chain(p, points, 0.1), &low, &high, grid_mm, grid_mm)
}

/// Drops crumbs: pieces with less than a twentieth of the largest piece's triangles.
fn largest(mesh: Mesh) -> Mesh {
    let n = mesh.vertices_mm.len();
    let mut root: Vec<usize> = (0..n).collect();
    fn find(root: &mut [usize], mut i: usize) -> usize {
        while root[i] != i {
            root[i] = root[root[i]];
            i = root[i];
        }
        i
    }
    for t in &mesh.triangles {
        let a = find(&mut root, t[0] as usize);
        for c in &t[1..] {
            let b = find(&mut root, *c as usize);
            root[b] = a;
        }
    }
    let mut count = vec![0_usize; n];
    for t in &mesh.triangles {
        count[find(&mut root, t[0] as usize)] += 1;
    }
    let least = count.iter().max().copied().unwrap_or(0) / 20;
    let kept: Vec<[u32; 3]> =
        mesh.triangles.iter().filter(|t| count[find(&mut root, t[0] as usize)] >= least).copied().collect();
    let mut index = vec![u32::MAX; n];
    let mut out = Mesh::default();
    for t in kept {
        out.triangles.push(t.map(|i| {
            let slot = &mut index[i as usize];
            if *slot == u32::MAX {
                *slot = out.vertices_mm.len() as u32;
                out.vertices_mm.push(mesh.vertices_mm[i as usize]);
            }
            *slot
        }));
    }
    out
}

/// Points that the recipes define.
pub(super) fn landmarks(d: &BodyDescription) -> Vec<Landmark> {
    if !d.parts.is_empty() {
        return compose::landmarks(d);
    }
    let mut out = match d.region {
        BodyRegion::Pelvis => pelvis_landmarks(),
        BodyRegion::Thorax => thorax_landmarks(),
    };
    out.extend(lumbar_landmarks());
    out
}

fn lumbar_landmarks() -> Vec<Landmark> {
    let mut out = Vec::new();
    for l in &spine::LUMBAR {
        let (top, bottom) = l.endplates_z_mm();
        out.push(Landmark {
            name: format!("{}.center", l.name),
            position_mm: v(0.0, l.center_y_mm, l.center_z_mm),
        });
        out.push(Landmark { name: format!("{}.top", l.name), position_mm: v(0.0, l.center_y_mm, top) });
        out.push(Landmark { name: format!("{}.bottom", l.name), position_mm: v(0.0, l.center_y_mm, bottom) });
    }
    out
}

fn thorax_landmarks() -> Vec<Landmark> {
    let center = |t: &thorax::Thoracic| Landmark {
        name: format!("{}.center", t.name),
        position_mm: v(0.0, t.center_mm.0, t.center_mm.1),
    };
    thorax::THORACIC.iter().map(center).collect()
}

fn pelvis_landmarks() -> Vec<Landmark> {
    let c = pelvis::HIP_CENTER;
    let crest = pelvis::CREST;
    let mut out = Vec::new();
    let mut both = |name: &str, p: [f64; 3]| {
        for (side, s) in [("left", 1.0), ("right", -1.0)] {
            out.push(Landmark { name: name.replace("{}", side), position_mm: v(s * p[0], p[1], p[2]) });
        }
    };
    both("femoral_head.{}.center", c);
    both("iliac_crest.{}.top", [crest[4][0], crest[4][1], crest[4][2] + 4.0]);
    both("asis.{}", crest[7]);
    both("psis.{}", crest[0]);
    both("sacroiliac_joint.{}.brim", [50.0, -2.0, -14.0]);
    both("ischial_spine.{}", [53.0, 5.0, -96.0]);
    both("obturator_foramen.{}.center", [42.0, -52.0, -126.0]);
    both("greater_trochanter.{}", [132.0, -14.0, -101.0]);
    both("lesser_trochanter.{}", [107.0, -9.0, -156.0]);
    out.push(Landmark { name: "symphysis.center".to_owned(), position_mm: v(0.0, -72.0, -123.0) });
    out.push(Landmark { name: "s1.endplate".to_owned(), position_mm: Vec3::zeros() });
    out
}
