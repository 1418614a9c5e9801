//! Faults that concern two or more places of a case, worked out on the tree so that others do not hide them.

use super::Library;
use super::names::anatomy;
use crate::anatomy::VesselTree;
use crate::device::{Device, DeviceKind, passes};
use crate::files::{Fault, FaultKind, Node, fault_at, line_and_column};

/// All contradictions of a case. Parts that are missing or of a wrong type are left to the schema walk.
pub(super) fn cross_checks(root: &Node, text: &str, file: &str, library: &Library) -> Vec<Fault> {
    let mut checks = Checks { root, text, file, library, faults: Vec::new() };
    checks.ids();
    checks.order_of_steps();
    checks.points();
    checks.patient();
    checks.anatomy();
    checks.lesions();
    checks.tray();
    checks.reach();
    checks.faults
}

struct Checks<'a> {
    root: &'a Node,
    text: &'a str,
    file: &'a str,
    library: &'a Library,
    faults: Vec<Fault>,
}

impl<'a> Checks<'a> {
    fn add(&mut self, node: &Node, field: &str, found: String, allowed: String) {
        let fault = fault_at(self.file, self.text, node.span.clone(), FaultKind::Contradiction, field);
        self.faults.push(Fault { found, allowed, ..fault });
    }

    fn list(&self, name: &str) -> &'a [Node] {
        self.root.get(name).map_or(&[], Node::items)
    }

    fn lesion_nodes(&self) -> &'a [Node] {
        self.root.get("anatomy").and_then(|a| a.get("lesions")).map_or(&[], Node::items)
    }

    /// Ids are given once.
    fn ids(&mut self) {
        for (list, nodes) in
            [("steps", self.list("steps")), ("traps", self.list("traps")), ("events", self.list("events"))]
        {
            self.once(list, nodes.iter().map(|n| n.get("id")), "an id that no other item has");
        }
        let names = self.lesion_nodes().iter().map(|n| n.get("name"));
        self.once("anatomy.lesions", names, "a name that no other lesion has");
        self.once("tray", self.list("tray").iter().map(Some), "each item once");
        let pars = self.root.get("score").and_then(|s| s.get("par")).map_or(&[] as &[Node], Node::items);
        self.once("score.par", pars.iter().map(|p| p.get("metric")), "each metric once");
    }

    fn once<'n>(&mut self, list: &str, ids: impl Iterator<Item = Option<&'n Node>>, allowed: &str) {
        let mut seen: Vec<(&str, usize)> = Vec::new();
        for (i, node) in ids.enumerate() {
            let Some((node, id)) = node.and_then(|n| n.text().map(|t| (n, t))) else {
                continue;
            };
            let (line, _) = line_and_column(self.text, node.span.start);
            match seen.iter().find(|(other, _)| *other == id) {
                Some((_, first)) => {
                    let found = format!("\"{id}\" a second time (first in line {first})");
                    self.add(node, &format!("{list}[{i}]"), found, allowed.to_owned());
                }
                None => seen.push((id, line)),
            }
        }
    }

    /// No step waits for itself, directly or around a circle.
    fn order_of_steps(&mut self) {
        let steps = self.list("steps");
        let id_of = |i: usize| steps[i].get("id").and_then(Node::text);
        let index_of = |name: &str| (0..steps.len()).find(|i| id_of(*i) == Some(name));
        let after: Vec<Vec<usize>> = steps
            .iter()
            .map(|s| {
                let names = s.get("after").map_or(&[] as &[Node], Node::items);
                names.iter().filter_map(Node::text).filter_map(index_of).collect()
            })
            .collect();
        // Take away steps that wait for nothing that is left; what stays lies on a circle or behind one.
        let mut left: Vec<usize> = (0..steps.len()).collect();
        loop {
            let ready: Vec<usize> =
                left.iter().copied().filter(|i| after[*i].iter().all(|a| !left.contains(a))).collect();
            if ready.is_empty() {
                break;
            }
            left.retain(|i| !ready.contains(i));
        }
        let on_circle = |start: usize| {
            let mut waiting = after[start].clone();
            let mut seen = Vec::new();
            while let Some(i) = waiting.pop() {
                if i == start {
                    return true;
                }
                if !seen.contains(&i) {
                    seen.push(i);
                    waiting.extend(&after[i]);
                }
            }
            false
        };
        let circle: Vec<usize> = left.into_iter().filter(|i| on_circle(*i)).collect();
        if let Some(first) = circle.first()
            && let Some(node) = steps[*first].get("after")
        {
            let names: Vec<&str> = circle.iter().filter_map(|i| id_of(*i)).collect();
            let found = format!("these steps wait for each other: {}", names.join(", "));
            self.add(node, &format!("steps[{first}].after"), found, "an order without a circle".to_owned());
        }
    }

    /// The pass mark can be reached and par values are in order.
    fn points(&mut self) {
        let Some(score) = self.root.get("score") else {
            return;
        };
        let points = |node: &Node| node.get("points").and_then(Node::number);
        let step_points: Vec<Option<f64>> = self.list("steps").iter().map(points).collect();
        let pars = score.get("par").map_or(&[] as &[Node], Node::items);
        let par_points: Vec<Option<f64>> = pars.iter().map(points).collect();
        let sum = |list: &[Option<f64>]| list.iter().copied().try_fold(0.0, |sum, p| p.map(|p| sum + p));
        if let (Some(steps), Some(par), Some(node)) = (sum(&step_points), sum(&par_points), score.get("pass"))
            && let Some(pass) = node.number()
            && pass > steps + par
        {
            let found = format!("a pass mark of {pass}");
            let most = steps + par;
            let allowed = format!("at most {most}, the maximum of points (steps {steps}, par values {par})");
            self.add(node, "score.pass", found, allowed);
        }
        for (i, par) in pars.iter().enumerate() {
            for (better, worse) in [("gold", "silver"), ("silver", "bronze")] {
                if let (Some(a), Some(node)) = (par.get(better).and_then(Node::number), par.get(worse))
                    && let Some(b) = node.number()
                    && a > b
                {
                    let found = format!("{worse} {b} is below {better} {a}");
                    let allowed = "gold <= silver <= bronze (upper limits)".to_owned();
                    self.add(node, &format!("score.par[{i}].{worse}"), found, allowed);
                }
            }
        }
    }

    fn patient(&mut self) {
        let Some(patient) = self.root.get("patient") else {
            return;
        };
        let value = |name: &str, default: f64| patient.get(name).map_or(Some(default), Node::number);
        if let (Some(systolic), Some(diastolic)) =
            (value("systolic_mmhg", 120.0), value("diastolic_mmhg", 80.0))
            && diastolic >= systolic
            && let Some(node) = patient.get("diastolic_mmhg").or_else(|| patient.get("systolic_mmhg"))
        {
            let found = format!("diastolic {diastolic} is not below systolic {systolic}");
            self.add(node, "patient.diastolic_mmhg", found, format!("less than {systolic} mmHg"));
        }
    }

    /// An anatomy that is there but cannot be used is named with its fault.
    fn anatomy(&mut self) {
        let model = self.root.get("anatomy").and_then(|a| a.get("model"));
        if let Some((node, name)) = model.and_then(|m| m.text().map(|t| (m, t)))
            && let Some(cause) = self.library.broken_anatomies.get(name)
        {
            let found = format!("this anatomy cannot be used: {cause}");
            self.add(node, "anatomy.model", found, "an anatomy without faults".to_owned());
        }
    }

    /// Lesions lie within their vessels.
    fn lesions(&mut self) {
        let Some(anatomy) = anatomy(self.root, self.library) else {
            return;
        };
        for (i, lesion) in self.lesion_nodes().iter().enumerate() {
            let Some(name) = lesion.get("vessel").and_then(Node::text) else {
                continue;
            };
            let Some(length_mm) = anatomy.tree.find(name).map(|v| anatomy.tree.branch(v).length_mm()) else {
                continue;
            };
            let half_mm = lesion.get("length_mm").and_then(Node::number).map_or(0.0, |l| 0.5 * l);
            let Some((node, at_mm)) = lesion.get("at").and_then(|at| arc_of(at, length_mm)) else {
                continue;
            };
            // A narrowing at a mouth may reach beyond it: what lies there is the parent.
            if at_mm > length_mm || at_mm < 0.0 || at_mm + half_mm > length_mm {
                let kind = lesion.name().unwrap_or_default();
                let field = format!("anatomy.lesions[{i}].{kind}.at");
                let found = format!("{at_mm} mm lies beyond the vessel's ends");
                let high_mm = (length_mm - half_mm).max(0.0);
                let allowed = format!("0 to {high_mm:.1} mm: {name} is {length_mm:.1} mm long");
                self.add(node, &field, found, allowed);
            }
        }
    }

    /// Devices of the tray with their nodes, the sheath left out.
    fn tray_devices(&self) -> Vec<(usize, &'a Node, &'a Device)> {
        let device = |id: &str| self.library.catalog.device(id);
        let items = self.list("tray").iter().enumerate();
        items
            .filter_map(|(i, n)| Some((i, n, device(n.text()?)?)))
            .filter(|(_, _, d)| d.kind != DeviceKind::Sheath)
            .collect()
    }

    /// False while a name on the tray is not known: what seems to be absent may be behind it.
    fn tray_is_known(&self) -> bool {
        let catalog = &self.library.catalog;
        let is_known = |id: &str| catalog.device(id).is_some() || catalog.embolic(id).is_some();
        self.list("tray").iter().all(|n| n.text().is_some_and(is_known))
    }

    fn sheath(&self) -> Option<&'a Device> {
        self.library.catalog.device(self.root.get("access")?.get("sheath")?.text()?)
    }

    /// Each device passes something that could carry it, and is longer than that; particles pass a catheter.
    fn tray(&mut self) {
        let Some(sheath) = self.sheath() else {
            return;
        };
        let devices = self.tray_devices();
        for (i, node, device) in &devices {
            let field = format!("tray[{i}]");
            let carriers: Vec<&Device> = match device.kind {
                DeviceKind::Catheter => vec![sheath],
                DeviceKind::Microcatheter => of_kinds(&devices, &[DeviceKind::Catheter]),
                // Straight through the sheath, or through a guiding catheter.
                DeviceKind::Balloon | DeviceKind::Stent => {
                    let mut all = of_kinds(&devices, &[DeviceKind::Catheter]);
                    all.push(sheath);
                    all
                }
                _ => of_kinds(&devices, &[DeviceKind::Catheter, DeviceKind::Microcatheter]),
            };
            if carriers.is_empty() {
                if device.kind == DeviceKind::Microcatheter && self.tray_is_known() {
                    let allowed = "a catheter on the tray that it runs in".to_owned();
                    self.add(node, &field, "a microcatheter without a catheter".to_owned(), allowed);
                }
                continue;
            }
            let refusals: Vec<String> =
                carriers.iter().filter_map(|c| passes(device, c).err()).map(|e| e.to_string()).collect();
            if refusals.len() == carriers.len() {
                let allowed = "a device that passes what carries it".to_owned();
                self.add(node, &field, refusals.join("; "), allowed);
                continue;
            }
            let is_longer = |c: &&&Device| passes(device, c).is_ok() && device.length_mm > c.length_mm;
            if !carriers.iter().any(|c| is_longer(&c)) {
                let shortest = carriers.iter().map(|c| c.length_mm).fold(f64::INFINITY, f64::min);
                let found = format!(
                    "{} is {:.0} mm long and does not come out of what it runs in",
                    device.label, device.length_mm
                );
                self.add(node, &field, found, format!("longer than {shortest:.0} mm"));
            }
        }
        self.particles(&devices);
    }

    fn particles(&mut self, devices: &[(usize, &Node, &Device)]) {
        let carriers = of_kinds(devices, &[DeviceKind::Catheter, DeviceKind::Microcatheter]);
        for (i, node) in self.list("tray").iter().enumerate() {
            let Some(embolic) = node.text().and_then(|id| self.library.catalog.embolic(id)) else {
                continue;
            };
            if !self.tray_is_known() {
                continue;
            }
            let bores = carriers.iter().filter_map(|c| c.inner_diameter_mm);
            let widest_mm = bores.fold(0.0, f64::max);
            if widest_mm < embolic.min_lumen_mm {
                let found = format!("{} need a bore of {:.2} mm", embolic.label, embolic.min_lumen_mm);
                let allowed = format!("at most {widest_mm:.2} mm, the widest bore on the tray");
                self.add(node, &format!("tray[{i}]"), found, allowed);
            }
        }
    }

    /// Vessels in which a step wants a tip can be reached with the lengths of the tray.
    fn reach(&mut self) {
        let Some(anatomy) = anatomy(self.root, self.library) else {
            return;
        };
        let site = self.root.get("access").and_then(|a| a.get("site")).and_then(Node::text);
        let Some(site) = site.and_then(|s| anatomy.access_sites.iter().find(|a| a.name == s)) else {
            return;
        };
        let devices = self.tray_devices();
        let mut wanted = Vec::new();
        for (i, step) in self.list("steps").iter().enumerate() {
            if let Some(done) = step.get("done") {
                tips_within(done, &format!("steps[{i}].done"), &mut wanted);
            }
        }
        for (of, within, field) in wanted {
            let Some(path_mm) = path_mm(&anatomy.tree, site.place, within.text().unwrap_or_default()) else {
                continue;
            };
            let matching = devices.iter().map(|(_, _, d)| *d).filter(|d| is_called(d, of));
            let longest_mm = matching.map(|d| d.length_mm).fold(f64::NEG_INFINITY, f64::max);
            if longest_mm == f64::NEG_INFINITY && !self.tray_is_known() {
                continue; // the name that is not known may be the one
            } else if longest_mm == f64::NEG_INFINITY {
                let found = format!("no {of} is on the tray");
                self.add(within, &field, found, format!("a {of} on the tray"));
            } else if longest_mm < path_mm + HUB_RESERVE_MM {
                let found = format!(
                    "{path_mm:.0} mm from the access to this vessel, longest {of} {longest_mm:.0} mm"
                );
                let most_mm = longest_mm - HUB_RESERVE_MM;
                self.add(within, &field, found, format!("a vessel at most {most_mm:.0} mm away"));
            }
        }
    }
}

/// Part of a device that stays outside, mm: sheath, valve and hand `[K]`.
const HUB_RESERVE_MM: f64 = 150.0;

fn of_kinds<'a>(devices: &[(usize, &Node, &'a Device)], kinds: &[DeviceKind]) -> Vec<&'a Device> {
    devices.iter().map(|(_, _, d)| *d).filter(|d| kinds.contains(&d.kind)).collect()
}

fn is_called(device: &Device, of: &str) -> bool {
    match of {
        "wire" => device.kind == DeviceKind::Wire,
        "catheter" => device.kind == DeviceKind::Catheter,
        "microcatheter" => device.kind == DeviceKind::Microcatheter,
        "balloon" => device.kind == DeviceKind::Balloon,
        "stent" => device.kind == DeviceKind::Stent,
        id => device.id == id,
    }
}

/// Device, vessel node and field of every `Tip` and `TipDeep` that a condition needs; alternatives of `Any` are left out.
fn tips_within<'a>(condition: &'a Node, path: &str, out: &mut Vec<(&'a str, &'a Node, String)>) {
    match condition.name() {
        Some(name @ ("Tip" | "TipDeep")) => {
            if let (Some(of), Some(within)) =
                (condition.get("of").and_then(Node::text), condition.get("within"))
            {
                out.push((of, within, format!("{path}.{name}.within")));
            }
        }
        Some("All") => {
            if let crate::files::Value::Tuple { items, .. } = &condition.value
                && let Some(list) = items.first()
            {
                for (i, item) in list.items().iter().enumerate() {
                    tips_within(item, &format!("{path}.All[{i}]"), out);
                }
            }
        }
        _ => {}
    }
}

/// Length along the centerlines from a place to the origin of a vessel, mm.
fn path_mm(tree: &VesselTree, from: crate::anatomy::VesselPlace, to: &str) -> Option<f64> {
    let target = tree.find(to)?;
    // Routes from the root; the two part at the last common branch.
    let down = tree.route(from.vessel);
    let up = tree.route(target);
    let common = down.iter().zip(&up).take_while(|(a, b)| a == b).count();
    if common == 0 {
        return None;
    }
    // Arc length at which each of the two leaves the last common branch.
    let leaves = |route: &[crate::anatomy::VesselId], end: Option<f64>| {
        route.get(common).map_or(end, |v| tree.branch(*v).origin.map(|o| o.arc_mm))
    };
    let a = leaves(&down, Some(from.arc_mm))?;
    let b = leaves(&up, Some(0.0))?;
    let mut length_mm = (a - b).abs();
    for i in common..down.len() {
        let child = down.get(i + 1).and_then(|v| tree.branch(*v).origin);
        length_mm += child.map_or(from.arc_mm, |o| o.arc_mm);
    }
    for pair in up[common..].windows(2) {
        length_mm += tree.branch(pair[1]).origin.map_or(0.0, |o| o.arc_mm);
    }
    Some(length_mm)
}

/// Node and arc length of a place on a vessel: `Mm(..)` from its origin or `BeforeEnd(..)`.
fn arc_of(at: &Node, length_mm: f64) -> Option<(&Node, f64)> {
    let mm = at.items().first().and_then(Node::number)?;
    Some((at, if at.name() == Some("BeforeEnd") { length_mm - mm } else { mm }))
}
