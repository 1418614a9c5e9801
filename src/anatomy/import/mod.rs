//! A patient from a surface mesh and centerlines made by other programs.
//!
//! Curves that meet become a tree, its inflow at the widest free end. The mesh is the truth for geometry: points are
//! moved to its middle and radii are those of inscribed spheres; the mesh itself is refined for contact. Terminal
//! branches get beds with flows after Murray's law, wide free ends get access sites.

mod body;
mod curves;
mod file;
mod fit;
mod topology;

use std::path::Path;

use serde::{Deserialize, Serialize};
use thiserror::Error;

pub use curves::AxisMap;
use curves::{Curve, read_curves};
pub use file::{ImportDescription, ImportRequest, build_import, import_folder};
use topology::{Placed, arcs, arrange, free_ends};

use super::mesh_io::{LengthUnit, MeshError, Openness, load_mesh};
use super::mesh_repair::{cap_rims, flip_inward_bodies, orient};
use super::refine::{label_corners, refine_mesh};
use super::{
    AccessSite, Anatomy, Branch, CenterlinePoint, Circulation, LumenMesh, Mesh, MeshDistance, Outlet,
    VesselId, VesselPlace, VesselTree,
};
use crate::math::{Vec3, orthogonal, parallel_transport};

/// What an importer may say.
#[derive(Clone, Debug)]
pub struct ImportOptions {
    /// Folder name of the anatomy.
    pub name: String,
    /// Title.
    pub title: String,
    /// Unit of the mesh, and of curves that name none.
    pub unit: LengthUnit,
    /// How the axes of both files lie in the patient.
    pub axes: AxisMap,
    /// Ends this near meet, mm.
    pub join_tolerance_mm: f64,
    /// Curve with the inflow at its free end; none: the widest free end.
    pub root: Option<String>,
    /// Resting inflow, mL/s; none: of a cardiac output of 5 L/min at a root of 12.5 mm radius, by the cube of the radius.
    pub inflow_ml_per_s: Option<f64>,
    /// Access sites: name and the curve at whose free end the sheath enters; none: all free ends of at least 2 mm radius.
    pub access: Vec<(String, String)>,
    /// How far inside the end the sheath tip lies, mm.
    pub sheath_depth_mm: f64,
}

impl Default for ImportOptions {
    fn default() -> Self {
        Self {
            name: "imported".to_owned(),
            title: "Imported anatomy".to_owned(),
            unit: LengthUnit::Mm,
            axes: AxisMap::default(),
            join_tolerance_mm: 1.0,
            root: None,
            inflow_ml_per_s: None,
            access: Vec::new(),
            sheath_depth_mm: 15.0,
        }
    }
}

/// Why an import fails.
#[derive(Debug, Error)]
pub enum ImportError {
    /// The mesh.
    #[error(transparent)]
    Mesh(#[from] MeshError),
    /// A file cannot be read.
    #[error("{file}: cannot be read: {source}")]
    Io {
        /// File.
        file: String,
        /// Cause.
        source: std::io::Error,
    },
    /// A curve file is not JSON of the expected kind.
    #[error("{file}:{line}:{column}: {what}")]
    Json {
        /// File.
        file: String,
        /// Line.
        line: usize,
        /// Column.
        column: usize,
        /// What.
        what: String,
    },
    /// A curve file holds no usable curve.
    #[error("{file}: found {what}")]
    Curve {
        /// File.
        file: String,
        /// What was found.
        what: String,
    },
    /// The axis map.
    #[error("axes: found `{found}`; allowed: three of x, y, z with signs, as in `+y,-z,-x`, each axis once")]
    Axes {
        /// Text.
        found: String,
    },
    /// No centerlines were given.
    #[error(
        "no centerline was given; at least one curve is needed, for instance from 3D Slicer: `Extract Centerline` of its \
         SlicerVMTK extension, saved as `.mrk.json`"
    )]
    NoCurves,
    /// A curve meets no other.
    #[error(
        "curve `{curve}` meets no other: the nearest is {gap_mm:.2} mm away, allowed: {tolerance_mm:.2} mm"
    )]
    Apart {
        /// Curve.
        curve: String,
        /// Distance, mm.
        gap_mm: f64,
        /// Allowed, mm.
        tolerance_mm: f64,
    },
    /// A named curve does not exist or has no free end.
    #[error("{field}: found `{found}`; allowed: curves with a free end: {allowed}")]
    UnknownEnd {
        /// Option.
        field: &'static str,
        /// Name.
        found: String,
        /// Names.
        allowed: String,
    },
    /// Every curve end meets another: no place for an inflow.
    #[error("every curve end meets another curve; an inflow needs a free end")]
    NoFreeEnd,
    /// A curve is nowhere near the mesh: another unit or frame.
    #[error(
        "curve `{curve}` is {distance_mm:.0} mm outside the mesh near ({:.0}, {:.0}, {:.0}); are units and axes right?",
        at_mm.x, at_mm.y, at_mm.z
    )]
    OffMesh {
        /// Curve.
        curve: String,
        /// Where, mm.
        at_mm: Vec3,
        /// How far, mm.
        distance_mm: f64,
    },
    /// The mesh does not enclose a volume even with its rims closed.
    #[error("the mesh encloses no volume: {bad_edges} edges are shared by more than two triangles, first near ({:.1}, {:.1}, {:.1})", at_mm.x, at_mm.y, at_mm.z)]
    NotASurface {
        /// Bad edges.
        bad_edges: usize,
        /// The first of them, mm.
        at_mm: Vec3,
    },
}

/// Resting output of the heart into a root of the radius below, mL/s and mm `[K]`.
const REFERENCE_INFLOW: (f64, f64) = (83.3, 12.5);
/// Wall of imported vessels: Peterson modulus, N/mm2, and thickness over radius `[K]`.
const WALL_EP_N_PER_MM2: f64 = 0.08;
const WALL_SHARE: f64 = 0.15;
/// A curve of which points are farther outside than this does not belong to the mesh, mm.
const OFF_MESH_MM: f64 = 25.0;
/// The direction of a sheath is taken over this length, mm.
const SHEATH_LOOK_MM: f64 = 12.0;
/// Spacing while curves are fitted, mm.
const FIT_STEP_MM: f64 = 1.0;

/// An anatomy from a mesh and its centerlines.
pub fn import(
    mesh_path: &Path,
    centerline_paths: &[impl AsRef<Path>],
    options: &ImportOptions,
) -> Result<Anatomy, ImportError> {
    let mut mesh = load_mesh(mesh_path, options.unit)?;
    for v in &mut mesh.vertices_mm {
        *v = options.axes.apply(v);
    }
    if options.axes.mirrors() {
        for t in &mut mesh.triangles {
            t.swap(1, 2);
        }
    }
    let mut curves = Vec::new();
    for path in centerline_paths {
        curves.extend(read_curves(path.as_ref(), &options.axes, options.unit.mm())?);
    }
    assemble(mesh, curves, options)
}

fn assemble(mut mesh: Mesh, mut curves: Vec<Curve>, options: &ImportOptions) -> Result<Anatomy, ImportError> {
    close(&mut mesh)?;
    let surface = MeshDistance::new(&mesh);
    for c in &mut curves {
        check_near(c, &surface)?;
        c.points_mm = fit::resample(&c.points_mm, FIT_STEP_MM);
    }
    let ends = free_ends(&curves, options.join_tolerance_mm);
    let root = find_root(&curves, &ends, &surface, options)?;
    let placed = arrange(curves, &root, options.join_tolerance_mm)?;
    let mut tree = tree_of(&placed, &surface);
    add_outlets(&mut tree, options);
    let mesh = refine_mesh(&mesh, &tree);
    // The smooth surface is what devices will touch: radii once more, from it.
    let surface = MeshDistance::new(&mesh);
    let mut tree = tree_of(&placed, &surface);
    add_outlets(&mut tree, options);
    let access_sites = access_sites(&tree, options)?;
    let labels = label_corners(&mesh, &tree);
    Ok(Anatomy {
        name: options.name.clone(),
        title: options.title.clone(),
        tree,
        body: vec![body::around(&mesh)],
        lumen: LumenMesh { mesh, labels },
        access_sites,
        landmarks: Vec::new(),
        circulation: Circulation::default(),
        lesions: Vec::new(),
    })
}

/// Rims are capped; what then still is no closed surface is refused only if it encloses nothing.
fn close(mesh: &mut Mesh) -> Result<(), ImportError> {
    cap_rims(mesh);
    orient(mesh);
    flip_inward_bodies(mesh);
    let bad = Openness::of(mesh).bad_edges_mm;
    if mesh.signed_volume_mm3() <= 0.0 || bad.len() * 20 > mesh.triangles.len() {
        let at_mm = bad.first().copied().unwrap_or_else(Vec3::zeros);
        return Err(ImportError::NotASurface { bad_edges: bad.len(), at_mm });
    }
    Ok(())
}

fn check_near(curve: &Curve, surface: &MeshDistance) -> Result<(), ImportError> {
    for p in &curve.points_mm {
        let distance_mm = surface.nearest(p).map_or(f64::INFINITY, |n| -n.inside_mm);
        if distance_mm > OFF_MESH_MM {
            return Err(ImportError::OffMesh { curve: curve.name.clone(), at_mm: *p, distance_mm });
        }
    }
    Ok(())
}

fn find_root(
    curves: &[Curve],
    ends: &[(usize, bool)],
    surface: &MeshDistance,
    options: &ImportOptions,
) -> Result<(usize, bool), ImportError> {
    if curves.is_empty() {
        return Err(ImportError::NoCurves);
    }
    if let Some(name) = &options.root {
        return ends.iter().copied().find(|(i, _)| curves[*i].name == *name).ok_or_else(|| {
            let allowed: Vec<&str> = ends.iter().map(|(i, _)| curves[*i].name.as_str()).collect();
            ImportError::UnknownEnd { field: "root", found: name.clone(), allowed: allowed.join(", ") }
        });
    }
    // The widest sphere within the last 20 mm: an end itself lies on its cap.
    let width = |(i, reversed): &(usize, bool)| {
        let mut points = curves[*i].points_mm.clone();
        if *reversed {
            points.reverse();
        }
        let near = (20.0 / FIT_STEP_MM) as usize;
        points.iter().take(near).filter_map(|p| surface.nearest(p)).fold(0.0, |w, n| n.inside_mm.max(w))
    };
    let widest = ends.iter().max_by(|a, b| width(a).total_cmp(&width(b)));
    widest.copied().ok_or(ImportError::NoFreeEnd)
}

/// Fits the placed curves to the surface, parents first, so that a child begins on its parent's fitted line.
fn tree_of(placed: &[Placed], surface: &MeshDistance) -> VesselTree {
    let mut fitted: Vec<Vec<Vec3>> = Vec::with_capacity(placed.len());
    for (i, p) in placed.iter().enumerate() {
        let mut points = p.points_mm.clone();
        let anchor = p.parent.map(|(parent, k)| {
            let line: &Vec<Vec3> = &fitted[parent];
            line[k.min(line.len() - 1)]
        });
        if let Some(anchor) = anchor {
            points[0] = anchor;
        }
        fit::center(&mut points, surface, anchor.is_some());
        let met = |place: &Option<(usize, usize)>| place.filter(|(k, _)| *k == i).map(|(_, at)| at + 1);
        let keep = placed.iter().flat_map(|p| [met(&p.parent), met(&p.joins)]).flatten().max().unwrap_or(0);
        if p.joins.is_none() {
            fit::trim_end(&mut points, keep, FIT_STEP_MM);
        }
        fitted.push(points);
    }
    for (i, p) in placed.iter().enumerate() {
        if let Some((other, k)) = p.joins {
            let line = &fitted[other];
            let end = line[k.min(line.len() - 1)];
            if let Some(last) = fitted[i].last_mut() {
                *last = end;
            }
        }
    }
    let mut tree = VesselTree::default();
    for (i, p) in placed.iter().enumerate() {
        let origin = p.parent.map(|(parent, k)| place(parent, &fitted[parent], k));
        let distal_join = p.joins.map(|(other, k)| place(other, &fitted[other], k));
        let branch = branch_of(p, &fitted[i], origin, distal_join, surface, &tree);
        tree.branches.push(branch);
    }
    tree
}

fn place(branch: usize, line: &[Vec3], point: usize) -> VesselPlace {
    VesselPlace { vessel: VesselId(branch as u32), arc_mm: arcs(line)[point.min(line.len() - 1)] }
}

fn branch_of(
    placed: &Placed,
    line: &[Vec3],
    origin: Option<VesselPlace>,
    distal_join: Option<VesselPlace>,
    surface: &MeshDistance,
    tree: &VesselTree,
) -> Branch {
    let n = line.len();
    let mut radius: Vec<f64> =
        line.iter().map(|p| surface.nearest(p).map_or(0.2, |near| near.inside_mm).max(0.2)).collect();
    // Inside the parent the sphere is the parent's: the branch has the radius with which it leaves.
    if let Some(parent) = origin.map(|o| tree.branch(o.vessel)) {
        let leaves = (0..n).find(|i| {
            let nearest = parent.points.iter().map(|q| (q.position_mm - line[*i]).norm() - q.radius_mm);
            nearest.fold(f64::INFINITY, f64::min) > 0.0
        });
        let at = leaves.unwrap_or(n - 1);
        let own = radius[at];
        for r in &mut radius[..at] {
            *r = r.min(own);
        }
    }
    // At a closed end the sphere touches the cap: the lumen is as wide as before.
    for i in (0..n).rev() {
        let from_end = arc_between(line, i, n - 1);
        let inner = (0..i).rev().find(|k| arc_between(line, *k, n - 1) > radius[*k]);
        match inner {
            Some(k) if distal_join.is_none() && from_end < radius[k] => radius[i] = radius[i].max(radius[k]),
            _ => break,
        }
    }
    let arc = arcs(line);
    let mut points: Vec<CenterlinePoint> = Vec::with_capacity(n);
    for i in 0..n {
        let (a, b) = (line[i.saturating_sub(1)], line[(i + 1).min(n - 1)]);
        let tangent = (b - a).try_normalize(1e-12).unwrap_or_else(Vec3::z);
        let normal = points.last().map_or_else(
            || orthogonal(&tangent),
            |last| parallel_transport(&last.normal, &last.tangent, &tangent),
        );
        let position_mm = line[i];
        points.push(CenterlinePoint { position_mm, tangent, normal, radius_mm: radius[i], arc_mm: arc[i] });
    }
    let mean_radius_mm = radius.iter().sum::<f64>() / n as f64;
    Branch {
        name: placed.name.clone(),
        ta_name: placed.name.clone(),
        label: placed.name.clone(),
        origin,
        distal_join,
        points,
        outlet: None,
        wall_ep_n_per_mm2: WALL_EP_N_PER_MM2,
        wall_thickness_mm: WALL_SHARE * mean_radius_mm,
    }
}

fn arc_between(line: &[Vec3], from: usize, to: usize) -> f64 {
    (from..to).map(|k| (line[k + 1] - line[k]).norm()).sum()
}

/// Ends that nothing goes on from.
fn terminals(tree: &VesselTree) -> Vec<VesselId> {
    let ends_open = |id: VesselId| {
        let branch = tree.branch(id);
        let length = branch.length_mm();
        let goes_on = tree.children(id).iter().any(|c| {
            tree.branch(*c).origin.is_some_and(|o| length - o.arc_mm < branch.at(length).radius_mm.max(1.0))
        });
        branch.distal_join.is_none() && !goes_on
    };
    (0..tree.branches.len() as u32).map(VesselId).filter(|id| ends_open(*id)).collect()
}

/// Beds at the terminal branches; flow by the cube of the radius (Murray 1926).
fn add_outlets(tree: &mut VesselTree, options: &ImportOptions) {
    let ends = terminals(tree);
    // Upper quartile over the last stretch, since the very end is often a cap or a cut.
    let radius = |id: &VesselId| {
        let b = tree.branch(*id);
        let from = (b.length_mm() - 20.0).max(0.3 * b.length_mm());
        let mut near: Vec<f64> = b.points.iter().filter(|p| p.arc_mm >= from).map(|p| p.radius_mm).collect();
        near.sort_by(f64::total_cmp);
        near[near.len() * 3 / 4]
    };
    let cubes: Vec<f64> = ends.iter().map(|id| radius(id).powi(3)).collect();
    let sum: f64 = cubes.iter().sum();
    let root_mm = tree.branches[0].points.iter().take(30).map(|p| p.radius_mm).fold(0.0, f64::max);
    let (flow, reference_mm) = REFERENCE_INFLOW;
    let inflow = options.inflow_ml_per_s.unwrap_or_else(|| flow * (root_mm / reference_mm).powi(3).min(1.0));
    for (id, cube) in ends.iter().zip(&cubes) {
        let branch = &mut tree.branches[id.idx()];
        let flow_ml_per_s = inflow * cube / sum.max(1e-12);
        let end = branch.points[branch.points.len() - 1];
        let blush_radius_mm = 12.0 * flow_ml_per_s.cbrt().clamp(0.3, 3.0);
        branch.outlet = Some(Outlet {
            bed: format!("bed.{}", branch.name),
            flow_ml_per_s,
            transit_s: 4.0,
            blush_center_mm: end.position_mm + end.tangent * blush_radius_mm,
            blush_radius_mm,
        });
    }
}

fn access_sites(tree: &VesselTree, options: &ImportOptions) -> Result<Vec<AccessSite>, ImportError> {
    let ends = terminals(tree);
    if options.access.is_empty() {
        let wide = ends.iter().filter(|id| {
            let b = tree.branch(**id);
            b.points[b.points.len() / 2].radius_mm >= 2.0
        });
        return Ok(wide.map(|id| site(tree, *id, &tree.branch(*id).name.clone(), options)).collect());
    }
    let mut sites = Vec::new();
    for (name, curve) in &options.access {
        let Some(id) = ends.iter().find(|id| tree.branch(**id).name == *curve) else {
            let allowed: Vec<&str> = ends.iter().map(|id| tree.branch(*id).name.as_str()).collect();
            return Err(ImportError::UnknownEnd {
                field: "access",
                found: curve.clone(),
                allowed: allowed.join(", "),
            });
        };
        sites.push(site(tree, *id, name, options));
    }
    Ok(sites)
}

/// A site that far inside the end, on a parent if the branch is shorter, looking up the vessel.
fn site(tree: &VesselTree, end: VesselId, name: &str, options: &ImportOptions) -> AccessSite {
    let place = upstream(tree, end, options.sheath_depth_mm);
    let at = |p: VesselPlace| tree.branch(p.vessel).at(p.arc_mm);
    let position_mm = at(place).position_mm;
    // Over a stretch, since a fitted line is uneven from point to point.
    let ahead = at(upstream(tree, end, options.sheath_depth_mm + SHEATH_LOOK_MM)).position_mm;
    let direction = (ahead - position_mm).try_normalize(1e-6).unwrap_or_else(|| -at(place).tangent);
    AccessSite { name: name.to_owned(), label: name.to_owned(), position_mm, direction, place }
}

/// The place `back_mm` before the end of a branch, on its parents if need be.
fn upstream(tree: &VesselTree, end: VesselId, back_mm: f64) -> VesselPlace {
    let mut vessel = end;
    let mut arc_mm = tree.branch(end).length_mm() - back_mm;
    while arc_mm < 0.0 {
        match tree.branch(vessel).origin {
            Some(origin) => {
                vessel = origin.vessel;
                arc_mm += origin.arc_mm;
            }
            None => arc_mm = 0.0,
        }
    }
    VesselPlace { vessel, arc_mm }
}

/// Report of an import, for the person who runs it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ImportSummary {
    /// Branches.
    pub branches: usize,
    /// Length of all centerlines, mm.
    pub length_mm: f64,
    /// Triangles of the refined lumen.
    pub triangles: usize,
    /// Volume, mL.
    pub volume_ml: f64,
    /// Names of access sites.
    pub access_sites: Vec<String>,
}

impl ImportSummary {
    /// Of an anatomy.
    pub fn of(anatomy: &Anatomy) -> Self {
        Self {
            branches: anatomy.tree.branches.len(),
            length_mm: anatomy.tree.branches.iter().map(Branch::length_mm).sum(),
            triangles: anatomy.lumen.mesh.triangles.len(),
            volume_ml: anatomy.lumen.mesh.signed_volume_mm3() / crate::units::MM3_PER_ML,
            access_sites: anatomy.access_sites.iter().map(|s| s.name.clone()).collect(),
        }
    }
}
