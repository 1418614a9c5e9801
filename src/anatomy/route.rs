//! Joins: regions that end where others begin become one description, and with it one tree and one surface.

use serde::{Deserialize, Serialize};

use super::AnatomyError;
use super::description::{
    AccessDescription, At, BodyDescription, Course, Description, EndSide, FORMAT, LandmarkDescription,
    OriginDescription, sort_branches,
};
use super::lesion::LesionDescription;

/// A route: `Route(...)` in an `anatomy.ron`. Cases name it like any anatomy.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename = "Route")]
pub struct RouteDescription {
    /// File-format number; this program reads 1.
    pub format: u32,
    /// Name, that of the folder.
    pub name: String,
    /// English title.
    pub title: String,
    /// Regions by the names of their folders beside this one. The first brings the body unless one is given here.
    pub parts: Vec<String>,
    /// Branches of the regions that are left out, with all that leave them: stubs that another region replaces.
    #[serde(default)]
    pub without: Vec<String>,
    /// Further puncture sites; one of a region with the same name gives way.
    #[serde(default)]
    pub access_sites: Vec<AccessDescription>,
    /// Bones, organs and skin.
    #[serde(default)]
    pub body: Option<BodyDescription>,
    /// Further named points.
    #[serde(default)]
    pub landmarks: Vec<LandmarkDescription>,
    /// What is wrong with the vessels.
    #[serde(default)]
    pub lesions: Vec<LesionDescription>,
}

/// Ends that are to meet may lie this far apart, mm.
const MEET_MM: f64 = 1.0;
/// Their diameters may differ by this share.
const MEET_DIAMETER: f64 = 0.2;

/// Joins the regions of a route; `region` reads one by name.
pub(super) fn join(
    route: &RouteDescription,
    region: &dyn Fn(&str) -> Result<Description, AnatomyError>,
) -> Result<Description, AnatomyError> {
    if route.format != FORMAT {
        return Err(bad(&route.name, "format", route.format.to_string(), FORMAT.to_string()));
    }
    let mut parts = Vec::new();
    for name in &route.parts {
        let mut part = region(name)?;
        drop_branches(&mut part, &route.without);
        parts.push(part);
    }
    let mut whole = match parts.first() {
        Some(first) => Description { lesions: route.lesions.clone(), ..first.clone() },
        None => return Err(bad(&route.name, "parts", "none".to_owned(), "at least one region".to_owned())),
    };
    for part in &parts[1..] {
        merge(&mut whole, part)?;
    }
    meet(&mut whole)?;
    sort_branches(&mut whole.branches);
    whole.name.clone_from(&route.name);
    whole.title.clone_from(&route.title);
    whole.access_sites.retain(|a| !route.access_sites.iter().any(|b| b.name == a.name));
    whole.access_sites.extend(route.access_sites.iter().cloned());
    whole.landmarks.retain(|a| !route.landmarks.iter().any(|b| b.name == a.name));
    whole.landmarks.extend(route.landmarks.iter().cloned());
    if route.body.is_some() {
        whole.body.clone_from(&route.body);
    }
    Ok(whole)
}

/// Leaves out branches, what leaves them, and what names them.
fn drop_branches(d: &mut Description, names: &[String]) {
    let mut gone: Vec<String> = names.to_vec();
    for b in &d.branches {
        if b.origin.as_ref().is_some_and(|o| gone.contains(&o.vessel)) {
            gone.push(b.name.clone());
        }
    }
    d.branches.retain(|b| !gone.contains(&b.name));
    let is_there = |name: &String| !gone.contains(name);
    d.ends.retain(|e| is_there(&e.vessel));
    d.access_sites.retain(|a| is_there(&a.vessel));
    d.circulation.anastomoses.retain(|a| is_there(&a.from) && is_there(&a.to));
    d.circulation.collaterals.retain(|c| is_there(&c.from) && is_there(&c.to));
    d.circulation.shunts.retain(|s| is_there(&s.vessel));
    d.circulation.roots.retain(|r| is_there(&r.vessel));
    d.variation.retain(&is_there);
}

fn merge(whole: &mut Description, part: &Description) -> Result<(), AnatomyError> {
    if let Some(twice) = part.branches.iter().find(|b| whole.branches.iter().any(|w| w.name == b.name)) {
        let allowed = format!("each name once; `{}` and an earlier region have it", part.name);
        return Err(bad(&twice.name, "name", format!("`{}` twice", twice.name), allowed));
    }
    whole.min_gap_mm = whole.min_gap_mm.min(part.min_gap_mm);
    whole.branches.extend(part.branches.iter().cloned());
    for source in &part.sources {
        if !whole.sources.contains(source) {
            whole.sources.push(source.clone());
        }
    }
    whole.ends.extend(part.ends.iter().cloned());
    let known: Vec<String> = whole.access_sites.iter().map(|a| a.name.clone()).collect();
    whole.access_sites.extend(part.access_sites.iter().filter(|a| !known.contains(&a.name)).cloned());
    let known: Vec<String> = whole.landmarks.iter().map(|l| l.name.clone()).collect();
    whole.landmarks.extend(part.landmarks.iter().filter(|l| !known.contains(&l.name)).cloned());
    whole.variation.variants.extend(part.variation.variants.iter().cloned());
    whole.variation.parameters.extend(part.variation.parameters.iter().cloned());
    let (c, p) = (&mut whole.circulation, &part.circulation);
    c.roots.extend(p.roots.iter().cloned());
    c.returns.extend(p.returns.iter().cloned());
    c.anastomoses.extend(p.anastomoses.iter().cloned());
    c.collaterals.extend(p.collaterals.iter().cloned());
    c.shunts.extend(p.shunts.iter().cloned());
    Ok(())
}

/// Roots that begin where a branch ends become its children there; the bed that stood for them goes.
fn meet(d: &mut Description) -> Result<(), AnatomyError> {
    let ends = std::mem::take(&mut d.ends);
    let mut met = Vec::new();
    for begin in ends.iter().filter(|e| e.side == EndSide::Begin) {
        let Some(end) = ends.iter().find(|e| e.side == EndSide::End && e.name == begin.name) else {
            continue;
        };
        let find = |name: &str| {
            let found = d.branches.iter().position(|b| b.name == name);
            found.ok_or_else(|| {
                bad(&begin.name, "ends.vessel", format!("`{name}`"), "a branch of its region".to_owned())
            })
        };
        let (host, root) = (find(&end.vessel)?, find(&begin.vessel)?);
        let from = d.branches[host].diameter_mm.1;
        let to = d.branches[root].diameter_mm.0;
        if (from - to).abs() > MEET_DIAMETER * from {
            let allowed =
                format!("within {:.0} % of {from} mm, the end of `{}`", 100.0 * MEET_DIAMETER, end.vessel);
            return Err(bad(&begin.vessel, "diameter_mm (origin)", to.to_string(), allowed));
        }
        let end_point = match &d.branches[host].course {
            Course::Points(points) => points.last().copied(),
            Course::TakeOff { .. } => None,
        };
        let root_branch = &mut d.branches[root];
        let Course::Points(points) = &mut root_branch.course else {
            return Err(bad(
                &begin.vessel,
                "course",
                "TakeOff of a root".to_owned(),
                "Points for a root".to_owned(),
            ));
        };
        if let (Some(a), Some(b)) = (end_point, points.first().copied()) {
            let away = (a.0 - b.0).hypot(a.1 - b.1).hypot(a.2 - b.2);
            if away > MEET_MM {
                let allowed = format!("within {MEET_MM} mm of {a:?}, the end of `{}`", end.vessel);
                return Err(bad(&begin.vessel, "course (first point)", format!("{b:?}"), allowed));
            }
        }
        points.remove(0);
        root_branch.origin = Some(OriginDescription { vessel: end.vessel.clone(), at: At::End });
        d.branches[host].outlet = None;
        met.push(begin.name.clone());
        let vessel = begin.vessel.clone();
        d.circulation.roots.retain(|r| r.vessel != vessel);
    }
    d.ends = ends.into_iter().filter(|e| !met.contains(&e.name)).collect();
    Ok(())
}

fn bad(item: &str, field: &'static str, found: String, allowed: String) -> AnatomyError {
    AnatomyError::Value { item: item.to_owned(), field, found, allowed }
}
