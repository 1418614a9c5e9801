//! Description to vessel tree: splines, take-offs, corkscrews, rotation-minimizing frames.

use crate::anatomy::description::{At, BranchDescription, Corkscrew, Course, Description};
use crate::anatomy::{AnatomyError, Branch, CenterlinePoint, Outlet, VesselId, VesselPlace, VesselTree};
use crate::math::{Vec3, orthogonal, parallel_transport};

/// Spacing of centerline points over the local radius.
const SPACING_PER_RADIUS: f64 = 0.5;
/// Step of the fine polyline that is measured before resampling, mm.
const FINE_STEP_MM: f64 = 0.05;

pub(in crate::anatomy) fn vec3(p: (f64, f64, f64)) -> Vec3 {
    Vec3::new(p.0, p.1, p.2)
}

/// Builds all branches.
pub(super) fn tree(description: &Description) -> Result<VesselTree, AnatomyError> {
    super::lesions::check(description)?;
    let mut tree = VesselTree::default();
    for branch in &description.branches {
        let mut built = build_branch(branch, &tree)?;
        super::lesions::widen(&mut built, &description.lesions);
        super::lesions::shape(&mut built, &description.lesions);
        tree.branches.push(built);
    }
    super::lesions::add(&mut tree, &description.lesions)?;
    super::apart::separate(&mut tree, description.min_gap_mm);
    if tree.branches.is_empty() {
        return Err(value("branches", "number of branches", "0", "at least 1"));
    }
    Ok(tree)
}

pub(super) fn value(
    item: &str,
    field: &'static str,
    found: impl ToString,
    allowed: impl ToString,
) -> AnatomyError {
    AnatomyError::Value {
        item: item.to_owned(),
        field,
        found: found.to_string(),
        allowed: allowed.to_string(),
    }
}

/// Refuses numbers outside a closed range, NaN included.
pub(super) fn within(
    item: &str,
    field: &'static str,
    found: f64,
    low: f64,
    high: f64,
) -> Result<(), AnatomyError> {
    if found >= low && found <= high {
        Ok(())
    } else {
        Err(value(item, field, found, format_args!("{low} to {high}")))
    }
}

/// Arc length of a place on a branch, refused outside it.
pub(super) fn arc_of(item: &str, at: At, branch: &Branch) -> Result<f64, AnatomyError> {
    let length = branch.length_mm();
    let arc = match at {
        At::End => length,
        At::Mm(mm) => mm,
        At::BeforeEnd(mm) => length - mm,
    };
    within(item, "at", arc, 0.0, length)?;
    Ok(arc)
}

pub(in crate::anatomy) fn build_branch(
    d: &BranchDescription,
    tree: &VesselTree,
) -> Result<Branch, AnatomyError> {
    let name = d.name.as_str();
    let is_name = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_' || c == '.';
    if name.is_empty() || !name.chars().all(is_name) {
        return Err(value(name, "name", format_args!("`{name}`"), "small letters, digits, `_` and `.`"));
    }
    if tree.find(name).is_some() {
        return Err(value(name, "name", format_args!("`{name}` twice"), "each name once"));
    }
    within(name, "diameter_mm (origin)", d.diameter_mm.0, 0.4, 60.0)?;
    within(name, "diameter_mm (end)", d.diameter_mm.1, 0.4, 60.0)?;
    within(name, "wall_ep_n_per_mm2", d.wall_ep_n_per_mm2, 0.005, 10.0)?;
    within(name, "wall_thickness_share", d.wall_thickness_share, 0.02, 1.0)?;
    let mut parent = None;
    let mut origin = None;
    if let Some(o) = &d.origin {
        let Some(id) = tree.find(&o.vessel) else {
            let known: Vec<&str> = tree.branches.iter().map(|b| b.name.as_str()).collect();
            return Err(value(
                name,
                "origin.vessel",
                format_args!("`{}`", o.vessel),
                format_args!("a branch described before it: {}", known.join(", ")),
            ));
        };
        let arc_mm = arc_of(name, o.at, tree.branch(id))?;
        parent = Some(tree.branch(id).at(arc_mm));
        origin = Some(VesselPlace { vessel: id, arc_mm });
    }
    let mut controls = control_points(d, parent.as_ref())?;
    let distal_join = join(d, tree, &mut controls)?;
    let mut fine = spline(&controls, continued(d, parent.as_ref()).as_ref());
    if let Some(c) = &d.corkscrew {
        fine = corkscrew(name, &fine, c)?;
    }
    check_profile(d)?;
    let points = resample(&fine, &|share| radius_mm(d, share));
    let length = points.last().map_or(0.0, |p| p.arc_mm);
    if length < d.diameter_mm.0 {
        return Err(value(name, "course", format_args!("{length:.2} mm long"), "at least one diameter"));
    }
    let outlet = match &d.outlet {
        None => None,
        Some(o) => {
            within(name, "outlet.flow_ml_per_min", o.flow_ml_per_min, 0.01, 10_000.0)?;
            within(name, "outlet.transit_s", o.transit_s, 0.2, 60.0)?;
            within(name, "outlet.blush_radius_mm", o.blush_radius_mm, 0.5, 300.0)?;
            Some(Outlet {
                bed: o.bed.clone(),
                flow_ml_per_s: o.flow_ml_per_min / 60.0,
                transit_s: o.transit_s,
                blush_center_mm: vec3(o.blush_center_mm),
                blush_radius_mm: o.blush_radius_mm,
            })
        }
    };
    Ok(Branch {
        name: d.name.clone(),
        ta_name: d.ta.clone(),
        label: d.label.clone(),
        origin,
        distal_join,
        points,
        outlet,
        wall_ep_n_per_mm2: d.wall_ep_n_per_mm2,
        wall_thickness_mm: d.wall_thickness_share * 0.25 * (d.diameter_mm.0 + d.diameter_mm.1),
    })
}

/// The place where a branch's distal end joins another; its way is led there.
fn join(
    d: &BranchDescription,
    tree: &VesselTree,
    controls: &mut Vec<Vec3>,
) -> Result<Option<VesselPlace>, AnatomyError> {
    let Some(j) = &d.join else { return Ok(None) };
    if d.outlet.is_some() {
        return Err(value(&d.name, "outlet", "an outlet beside a join", "one of the two"));
    }
    let at = place(&d.name, &j.vessel, j.at, tree)?;
    controls.push(tree.branch(at.vessel).at(at.arc_mm).position_mm);
    Ok(Some(at))
}

fn control_points(
    d: &BranchDescription,
    parent: Option<&CenterlinePoint>,
) -> Result<Vec<Vec3>, AnatomyError> {
    let name = d.name.as_str();
    let mut out: Vec<Vec3> = Vec::new();
    if let Some(p) = parent {
        out.push(p.position_mm);
    }
    match &d.course {
        Course::Points(points) => {
            out.extend(points.iter().map(|p| vec3(*p)));
            if out.len() < 2 {
                return Err(value(name, "course", "too few points", "2 for a root, 1 for a child, or more"));
            }
            for p in &out {
                if !(p.iter().all(|c| c.abs() <= 3000.0)) {
                    return Err(value(name, "course", format_args!("{p:?}"), "numbers within 3000 mm"));
                }
            }
            if out.windows(2).any(|w| (w[1] - w[0]).norm() < 0.5) {
                return Err(value(name, "course", "points that coincide", "points at least 0.5 mm apart"));
            }
        }
        Course::TakeOff { angle_deg, around_deg, length_mm, turn_deg } => {
            within(name, "course.angle_deg", *angle_deg, 0.0, 180.0)?;
            within(name, "course.around_deg", *around_deg, -360.0, 360.0)?;
            within(name, "course.length_mm", *length_mm, 1.0, 1000.0)?;
            within(name, "course.turn_deg", *turn_deg, -360.0, 360.0)?;
            let Some(p) = parent else {
                return Err(value(name, "course", "TakeOff of a root", "Points for a root"));
            };
            let side = around_parent(&p.tangent, around_deg.to_radians());
            let steps = 24;
            let step = length_mm / f64::from(steps);
            for i in 0..steps {
                let share = (f64::from(i) + 0.5) / f64::from(steps);
                let a = (angle_deg - turn_deg * share).to_radians();
                let last = out[out.len() - 1];
                out.push(last + (p.tangent * a.cos() + side * a.sin()) * step);
            }
        }
    }
    Ok(out)
}

/// Unit vector across `tangent`: at 0 the anterior direction, turning over the patient's left, projected.
pub(super) fn around_parent(tangent: &Vec3, around_rad: f64) -> Vec3 {
    // Along an anteroposterior parent the anterior direction has no projection: superior takes its place.
    let reference = if tangent.y.abs() < 0.9 { -Vec3::y() } else { Vec3::z() };
    let e = (reference - tangent * tangent.dot(&reference)).normalize();
    let left = Vec3::x();
    let mut f = tangent.cross(&e);
    if f.dot(&left) < 0.0 {
        f = -f;
    }
    e * around_rad.cos() + f * around_rad.sin()
}

/// Direction in which a branch that continues its parent's end starts: halfway between the parent's and its own, so
/// that the lumen has no kink.
fn continued(d: &BranchDescription, parent: Option<&CenterlinePoint>) -> Option<Vec3> {
    let is_end = d.origin.as_ref().is_some_and(|o| o.at == At::End);
    parent.filter(|_| is_end && matches!(d.course, Course::Points(_))).map(|p| p.tangent)
}

/// Centripetal Catmull-Rom spline (Barry and Goldman 1988) as a fine polyline; it starts along its first chord, or
/// halfway between that and `from`.
fn spline(controls: &[Vec3], from: Option<&Vec3>) -> Vec<Vec3> {
    let n = controls.len();
    let at = |i: isize| -> Vec3 {
        if i < 0 {
            let chord = controls[1] - controls[0];
            let mean = from.and_then(|f| (f + chord.normalize()).try_normalize(0.3));
            controls[0] - mean.map_or(chord, |m| m * chord.norm())
        } else if i as usize >= n {
            controls[n - 1] * 2.0 - controls[n - 2]
        } else {
            controls[i as usize]
        }
    };
    let mut out = vec![controls[0]];
    for i in 0..n - 1 {
        let p: [Vec3; 4] = std::array::from_fn(|k| at(i as isize + k as isize - 1));
        let mut t = [0.0; 4];
        for k in 1..4 {
            t[k] = t[k - 1] + (p[k] - p[k - 1]).norm().sqrt().max(1e-6);
        }
        let chord = (p[2] - p[1]).norm();
        let steps = (chord / FINE_STEP_MM).ceil().max(1.0) as usize;
        for s in 1..=steps {
            let u = t[1] + (t[2] - t[1]) * (s as f64 / steps as f64);
            let mix = |a: &Vec3, b: &Vec3, ta: f64, tb: f64| (a * (tb - u) + b * (u - ta)) / (tb - ta);
            let a1 = mix(&p[0], &p[1], t[0], t[1]);
            let a2 = mix(&p[1], &p[2], t[1], t[2]);
            let a3 = mix(&p[2], &p[3], t[2], t[3]);
            let b1 = mix(&a1, &a2, t[0], t[2]);
            let b2 = mix(&a2, &a3, t[1], t[3]);
            out.push(mix(&b1, &b2, t[1], t[2]));
        }
    }
    out
}

fn corkscrew(name: &str, fine: &[Vec3], c: &Corkscrew) -> Result<Vec<Vec3>, AnatomyError> {
    within(name, "corkscrew.amplitude_mm", c.amplitude_mm, 0.0, 50.0)?;
    within(name, "corkscrew.pitch_mm", c.pitch_mm, 1.0, 200.0)?;
    let frames = frames(fine);
    let length = frames.last().map_or(0.0, |f| f.arc_mm);
    within(name, "corkscrew.from_mm", c.from_mm, 0.0, length)?;
    let to = c.to_mm.min(length);
    within(name, "corkscrew.to_mm", to, c.from_mm + c.pitch_mm, length)?;
    Ok(frames
        .iter()
        .map(|f| {
            if f.arc_mm <= c.from_mm || f.arc_mm >= to {
                return f.position_mm;
            }
            // Smooth ramps over one turn at either end keep tangent and curvature continuous.
            let ramp = |x: f64| {
                let x = x.clamp(0.0, 1.0);
                x * x * x * (10.0 - 15.0 * x + 6.0 * x * x)
            };
            let run = 0.5 * (to - c.from_mm).min(2.0 * c.pitch_mm);
            let w = ramp((f.arc_mm - c.from_mm) / run) * ramp((to - f.arc_mm) / run);
            let phase = std::f64::consts::TAU * (f.arc_mm - c.from_mm) / c.pitch_mm;
            let binormal = f.tangent.cross(&f.normal);
            f.position_mm + (f.normal * phase.cos() + binormal * phase.sin()) * (w * c.amplitude_mm)
        })
        .collect())
}

/// Tangents by central differences and rotation-minimizing normals; radius left at zero.
pub(super) fn frames(points: &[Vec3]) -> Vec<CenterlinePoint> {
    let n = points.len();
    let mut out: Vec<CenterlinePoint> = Vec::with_capacity(n);
    let mut arc_mm = 0.0;
    for i in 0..n {
        let chord = points[(i + 1).min(n - 1)] - points[i.saturating_sub(1)];
        let tangent = chord.try_normalize(1e-12).unwrap_or_else(Vec3::z);
        if i > 0 {
            arc_mm += (points[i] - points[i - 1]).norm();
        }
        let normal = match out.last() {
            None => orthogonal(&tangent),
            Some(last) => {
                let moved = parallel_transport(&last.normal, &last.tangent, &tangent);
                (moved - tangent * tangent.dot(&moved)).normalize()
            }
        };
        out.push(CenterlinePoint { position_mm: points[i], tangent, normal, radius_mm: 0.0, arc_mm });
    }
    out
}

/// Lumen radius at a share of the length: linear between the diameters that are given, mm.
fn radius_mm(d: &BranchDescription, share: f64) -> f64 {
    let (mut a, mut b) = ((0.0, d.diameter_mm.0), (1.0, d.diameter_mm.1));
    for p in &d.profile_mm {
        if p.0 <= share {
            a = *p;
        } else {
            b = *p;
            break;
        }
    }
    let (r0, r1) = (0.5 * a.1, 0.5 * b.1);
    r0 + (r1 - r0) * ((share - a.0) / (b.0 - a.0))
}

fn check_profile(d: &BranchDescription) -> Result<(), AnatomyError> {
    let mut least = 0.001;
    for (share, diameter) in &d.profile_mm {
        within(&d.name, "profile_mm (share of the length)", *share, least, 0.999)?;
        within(&d.name, "profile_mm (diameter)", *diameter, 0.4, 60.0)?;
        least = share + 0.001;
    }
    Ok(())
}

/// Points about half a radius apart on a fine polyline; `radius_of` takes the share of the length.
fn resample(fine: &[Vec3], radius_of: &dyn Fn(f64) -> f64) -> Vec<CenterlinePoint> {
    let mut cumulative = vec![0.0];
    for w in fine.windows(2) {
        cumulative.push(cumulative[cumulative.len() - 1] + (w[1] - w[0]).norm());
    }
    let length = cumulative[cumulative.len() - 1];
    let radius = |s: f64| radius_of((s / length.max(1e-12)).min(1.0));
    let mut stations = vec![0.0];
    let mut s = 0.0;
    loop {
        s += SPACING_PER_RADIUS * radius(s);
        if s >= length {
            break;
        }
        stations.push(s);
    }
    // Stretched evenly so that the last one is the end.
    let scale = length / s.max(1e-12);
    let mut points: Vec<Vec3> = stations
        .iter()
        .map(|s| {
            let s = s * scale;
            let hi = cumulative.partition_point(|c| *c < s).clamp(1, fine.len() - 1);
            let t = (s - cumulative[hi - 1]) / (cumulative[hi] - cumulative[hi - 1]).max(1e-12);
            fine[hi - 1].lerp(&fine[hi], t.clamp(0.0, 1.0))
        })
        .collect();
    points.push(fine[fine.len() - 1]);
    let mut out = frames(&points);
    let total = out.last().map_or(1.0, |p| p.arc_mm).max(1e-12);
    for p in &mut out {
        p.radius_mm = radius_of((p.arc_mm / total).min(1.0));
    }
    out
}

/// The branch that a place of the description means.
pub(super) fn place(
    item: &str,
    vessel: &str,
    at: At,
    tree: &VesselTree,
) -> Result<VesselPlace, AnatomyError> {
    let Some(id) = tree.find(vessel) else {
        let known: Vec<&str> = tree.branches.iter().map(|b| b.name.as_str()).collect();
        return Err(value(item, "vessel", format_args!("`{vessel}`"), known.join(", ")));
    };
    Ok(VesselPlace { vessel: VesselId(id.0), arc_mm: arc_of(item, at, tree.branch(id))? })
}
