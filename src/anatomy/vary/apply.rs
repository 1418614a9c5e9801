//! Draws upon a description: variants change branches, parameters change their diameters and ways; children follow their
//! parents.

use super::measure::tortuosity;
use super::{Change, Choices, Description, Quantity, bad};
use crate::anatomy::build::build_branch;
use crate::anatomy::description::{At, BranchDescription, Course, sort_branches};
use crate::anatomy::{AnatomyError, VesselTree};
use crate::math::Vec3;

/// The description with the choices built in; it varies no further.
pub(super) fn apply(description: &Description, choices: &Choices) -> Result<Description, AnatomyError> {
    let mut out = description.clone();
    out.variation = super::Variation::default();
    for (variant, option) in &choices.options {
        let options = description.variation.variants.iter().find(|v| v.name == *variant).map(|v| &v.options);
        let chosen = options.and_then(|o| o.iter().find(|o| o.name == *option));
        for change in chosen.iter().flat_map(|o| &o.changes) {
            alter(&mut out, change)?;
        }
    }
    sort_branches(&mut out.branches);
    let wishes: Vec<(&Quantity, f64)> = description
        .variation
        .parameters
        .iter()
        .filter_map(|p| {
            let value = choices.values.iter().find(|v| v.0 == p.name).and_then(|v| v.1)?;
            Some((&p.of, value))
        })
        .collect();
    for (of, value) in &wishes {
        match of {
            Quantity::Diameter(names) => {
                let first = out.branches.iter().find(|b| names.first() == Some(&b.name));
                let Some(before) = first.map(|b| b.diameter_mm.0) else { continue };
                scale(&mut out, |n| names.iter().any(|m| m == n), value / before);
            }
            Quantity::Calibre => scale(&mut out, |_| true, *value),
            _ => {}
        }
    }
    bend(&mut out, &wishes)?;
    Ok(out)
}

fn scale(d: &mut Description, takes: impl Fn(&str) -> bool, factor: f64) {
    for b in d.branches.iter_mut().filter(|b| takes(&b.name)) {
        let s = |x: f64| (x * factor).clamp(0.4, 60.0);
        b.diameter_mm = (s(b.diameter_mm.0), s(b.diameter_mm.1));
        b.profile_mm.iter_mut().for_each(|p| p.1 = s(p.1));
    }
}

fn alter(d: &mut Description, change: &Change) -> Result<(), AnatomyError> {
    let find = |d: &Description, name: &str| {
        let known = || d.branches.iter().map(|b| b.name.as_str()).collect::<Vec<_>>().join(", ");
        let found = d.branches.iter().position(|b| b.name == name);
        found.ok_or_else(|| bad(name, "variation.changes", format_args!("`{name}`"), known()))
    };
    match change {
        Change::Replace(branch) => {
            let i = find(d, &branch.name)?;
            d.branches[i] = branch.clone();
        }
        Change::Add(branch) => d.branches.push(branch.clone()),
        Change::Remove(name) => {
            find(d, name)?;
            let mut gone = vec![name.clone()];
            // Parents come before children, so one pass finds all that leave it.
            for b in &d.branches {
                if b.origin.as_ref().is_some_and(|o| gone.contains(&o.vessel)) {
                    gone.push(b.name.clone());
                }
            }
            d.branches.retain(|b| !gone.contains(&b.name));
        }
        Change::Origin { branch, from } => {
            let i = find(d, branch)?;
            d.branches[i].origin = Some(from.clone());
        }
        Change::Scale { branches, factor } => {
            scale(d, |n| branches.iter().any(|b| b == n), *factor);
        }
        Change::Anastomosis { from, to, count } => {
            let list = &mut d.circulation.anastomoses;
            let Some(link) = list.iter_mut().find(|a| a.from == *from && a.to == *to) else {
                let item = format!("{from}, {to}");
                return Err(bad(&item, "variation.changes.Anastomosis", "none", "one that is described"));
            };
            link.count = *count;
        }
        Change::Grow { branches, flow, volume } => {
            for b in d.branches.iter_mut().filter(|b| branches.contains(&b.name)) {
                if let Some(outlet) = &mut b.outlet {
                    outlet.flow_ml_per_min *= flow;
                    outlet.blush_radius_mm *= volume.cbrt();
                }
            }
        }
    }
    Ok(())
}

/// Sets lengths, angles and tortuosity, branch by branch from the roots, each moved with its parent.
fn bend(d: &mut Description, wishes: &[(&Quantity, f64)]) -> Result<(), AnatomyError> {
    let is_bent = wishes
        .iter()
        .any(|w| matches!(w.0, Quantity::Length(_) | Quantity::TakeOff(_) | Quantity::Tortuosity(_)));
    if !is_bent {
        return Ok(());
    }
    let (mut before, mut after) = (VesselTree::default(), VesselTree::default());
    for i in 0..d.branches.len() {
        let old = build_branch(&d.branches[i], &before)?;
        let mut b = d.branches[i].clone();
        if let Some(o) = &mut b.origin
            && let (Some(was), Some(is)) = (before.find(&o.vessel), after.find(&o.vessel))
        {
            let (was, is) = (before.branch(was), after.branch(is));
            let ratio = is.length_mm() / was.length_mm().max(1e-9);
            let from = was.at(crate::anatomy::lesion::arc_mm(o.at, was.length_mm())).position_mm;
            o.at = match o.at {
                At::End => At::End,
                At::Mm(mm) => At::Mm(mm * ratio),
                At::BeforeEnd(mm) => At::BeforeEnd(mm * ratio),
            };
            let to = is.at(crate::anatomy::lesion::arc_mm(o.at, is.length_mm())).position_mm;
            shift(&mut b, &(to - from));
        }
        if let Some(j) = &mut b.join
            && let (Some(was), Some(is)) = (before.find(&j.vessel), after.find(&j.vessel))
        {
            let ratio = after.branch(is).length_mm() / before.branch(was).length_mm().max(1e-9);
            j.at = match j.at {
                At::End => At::End,
                At::Mm(mm) => At::Mm(mm * ratio),
                At::BeforeEnd(mm) => At::BeforeEnd(mm * ratio),
            };
        }
        for (of, value) in wishes {
            match of {
                Quantity::Tortuosity(names) if names.contains(&b.name) => tortuous(&mut b, &after, *value)?,
                Quantity::Length(name) if *name == b.name => long(&mut b, &after, *value)?,
                Quantity::TakeOff(name) if *name == b.name => turned(&mut b, &after, *value)?,
                _ => {}
            }
        }
        let new = build_branch(&b, &after)?;
        before.branches.push(old);
        after.branches.push(new);
        d.branches[i] = b;
    }
    Ok(())
}

fn points_of(b: &mut BranchDescription) -> Option<&mut Vec<(f64, f64, f64)>> {
    match &mut b.course {
        Course::Points(points) => Some(points),
        Course::TakeOff { .. } => None,
    }
}

fn shift(b: &mut BranchDescription, by: &Vec3) {
    if by.norm() < 1e-9 {
        return;
    }
    let move_by = |p: &mut (f64, f64, f64)| *p = (p.0 + by.x, p.1 + by.y, p.2 + by.z);
    if let Some(points) = points_of(b) {
        points.iter_mut().for_each(move_by);
    }
    if let Some(o) = &mut b.outlet {
        move_by(&mut o.blush_center_mm);
    }
}

/// Stretches a way about its begin until it is as long as wished.
fn long(b: &mut BranchDescription, tree: &VesselTree, wished_mm: f64) -> Result<(), AnatomyError> {
    for _ in 0..4 {
        let built = build_branch(b, tree)?;
        let ratio = wished_mm / built.length_mm().max(1e-9);
        let from = built.points[0].position_mm;
        let stretch = |p: &mut (f64, f64, f64)| {
            let q = from + (Vec3::new(p.0, p.1, p.2) - from) * ratio;
            *p = (q.x, q.y, q.z);
        };
        match &mut b.course {
            Course::Points(points) => points.iter_mut().for_each(stretch),
            Course::TakeOff { length_mm, .. } => *length_mm *= ratio,
        }
        if let Some(o) = &mut b.outlet {
            stretch(&mut o.blush_center_mm);
        }
    }
    Ok(())
}

/// A turned way is as described again this far from its begin, mm.
const TURN_REACH_MM: f64 = 55.0;

/// Turns the first part of a way in the plane of branch and parent until it leaves at the wished angle.
fn turned(b: &mut BranchDescription, tree: &VesselTree, wished_deg: f64) -> Result<(), AnatomyError> {
    if let Course::TakeOff { angle_deg, .. } = &mut b.course {
        *angle_deg = wished_deg.clamp(0.0, 180.0);
        return Ok(());
    }
    for _ in 0..6 {
        let built = build_branch(b, tree)?;
        let Some(found_deg) = tree.take_off_deg(&built) else { return Ok(()) };
        let Some(origin) = built.origin else { return Ok(()) };
        let parent = tree.branch(origin.vessel).at(origin.arc_mm);
        let out = built.at((1.5 * parent.radius_mm).min(built.length_mm())).tangent;
        let axis = parent.tangent.cross(&out);
        let Some(axis) = axis.try_normalize(1e-6) else { return Ok(()) };
        let from = built.points[0].position_mm;
        let angle = (wished_deg - found_deg).to_radians();
        let Some(points) = points_of(b) else { return Ok(()) };
        let all: Vec<Vec3> = points.iter().map(|p| Vec3::new(p.0, p.1, p.2)).collect();
        let reach = all.iter().map(|p| (p - from).norm()).fold(1e-9, f64::max).min(TURN_REACH_MM);
        for (p, q) in points.iter_mut().zip(&all) {
            // Full near the begin, none at the far end, which stays where its organ is.
            let x = ((q - from).norm() / reach).clamp(0.0, 1.0);
            let weight = 1.0 - x * x * (3.0 - 2.0 * x);
            let turn = nalgebra::Rotation3::new(axis * (angle * weight));
            let r = from + turn * (q - from);
            *p = (r.x, r.y, r.z);
        }
        if (wished_deg - found_deg).abs() < 0.5 {
            break;
        }
    }
    Ok(())
}

/// Bows of a tortuous way over its length.
const BOWS: f64 = 1.5;
/// Control points of a tortuous way.
const STATIONS: usize = 13;

/// Draws a way out towards its chord or lays bows over it until way over chord is as wished. Ends and their directions stay.
fn tortuous(b: &mut BranchDescription, tree: &VesselTree, wished: f64) -> Result<(), AnatomyError> {
    if points_of(b).is_none() {
        return Ok(());
    }
    let plain = build_branch(b, tree)?;
    let length = plain.length_mm();
    let (from, to) = (plain.at(0.0).position_mm, plain.at(length).position_mm);
    let chord = to - from;
    let Some(along) = chord.try_normalize(1e-6) else { return Ok(()) };
    // Bows lie in the frontal plane, as iliac and splenic bows mostly do.
    let side = along.cross(&Vec3::y()).try_normalize(0.1).unwrap_or_else(|| crate::math::orthogonal(&along));
    let is_child = b.origin.is_some();
    let at = |b: &mut BranchDescription, amount: f64, straight: f64| {
        let stations: Vec<(f64, f64, f64)> = (usize::from(is_child)..STATIONS)
            .map(|i| {
                let t = i as f64 / (STATIONS - 1) as f64;
                let window = (std::f64::consts::PI * t).sin().powi(2);
                let own = plain.at(t * length).position_mm;
                let line = from + chord * t;
                let bow = side * (amount * window * (std::f64::consts::TAU * BOWS * t).sin());
                let p = own + (line - own) * (straight * window.sqrt()) + bow;
                (p.x, p.y, p.z)
            })
            .collect();
        b.course = Course::Points(stations);
    };
    let grows = wished > tortuosity(&plain);
    let (mut low, mut high) = (0.0, if grows { 0.35 * chord.norm() } else { 1.0 });
    for _ in 0..24 {
        let middle = 0.5 * (low + high);
        if grows {
            at(b, middle, 0.0);
        } else {
            at(b, 0.0, middle);
        }
        let found = tortuosity(&build_branch(b, tree)?);
        if (found < wished) == grows { low = middle } else { high = middle }
    }
    Ok(())
}
