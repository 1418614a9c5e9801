//! Faults of a device file that concern two or more places.

use super::file::{Piece, Size};
use crate::files::{Fault, FaultKind, Node, Value, fault_at};

/// Contradictions within one file.
pub(super) fn cross_checks(root: &Node, text: &str, file: &str) -> Vec<Fault> {
    let mut checks = Checks { text, file, faults: Vec::new() };
    let list = |name: &str| root.get(name).map_or(&[] as &[Node], Node::items);
    for (i, device) in list("devices").iter().enumerate() {
        checks.device(device, &format!("devices[{i}]"));
    }
    for (i, embolic) in list("embolics").iter().enumerate() {
        checks.embolic(embolic, &format!("embolics[{i}]"));
    }
    checks.faults
}

struct Checks<'a> {
    text: &'a str,
    file: &'a str,
    faults: Vec<Fault>,
}

impl Checks<'_> {
    fn add(&mut self, node: &Node, field: String, found: String, allowed: String) {
        let fault = fault_at(self.file, self.text, node.span.clone(), FaultKind::Contradiction, &field);
        self.faults.push(Fault { found, allowed, ..fault });
    }

    fn device(&mut self, device: &Node, path: &str) {
        let Some(length_mm) = device.get("length_mm").and_then(Node::number) else {
            return;
        };
        self.sections(device, path, length_mm);
        if let Some(shape) = device.get("shape") {
            let shape_mm: f64 = shape.items().iter().filter_map(piece).map(Piece::length_mm).sum();
            if shape_mm > length_mm {
                let found = format!("a shape {shape_mm:.1} mm long");
                self.add(
                    shape,
                    format!("{path}.shape"),
                    found,
                    format!("at most {length_mm} mm, the device's length"),
                );
            }
        }
        for (i, hole) in device.get("side_holes_mm").map_or(&[] as &[Node], Node::items).iter().enumerate() {
            if let Some(at_mm) = hole.number().filter(|at| *at > length_mm) {
                let allowed = format!("at most {length_mm} mm, the device's length");
                self.add(hole, format!("{path}.side_holes_mm[{i}]"), format!("{at_mm} mm"), allowed);
            }
        }
        self.bore(device, path);
        self.implant(device, path, length_mm);
        let has_loop = device.get("loop_mm").filter(|l| l.name() != Some("None"));
        let is_snare = device.get("kind").and_then(Node::name) == Some("Snare");
        if has_loop.is_some() != is_snare {
            let found = if is_snare { "a snare without `loop_mm`" } else { "a loop" }.to_owned();
            let allowed = "a loop for snares and only for them".to_owned();
            self.add(has_loop.unwrap_or(device), format!("{path}.loop_mm"), found, allowed);
        }
        self.dilation(device, path, length_mm);
        self.filter(device, path, length_mm);
    }

    /// Only wires carry a filter, and it lies on the wire.
    fn filter(&mut self, device: &Node, path: &str, length_mm: f64) {
        let Some(filter) = device.get("filter").filter(|f| f.name() != Some("None")) else { return };
        let field = format!("{path}.filter");
        if device.get("kind").and_then(Node::name) != Some("Wire") {
            self.add(filter, field, "a filter".to_owned(), "a filter for wires only".to_owned());
            return;
        }
        let number = |name: &str| filter.get(name).and_then(Node::number);
        if let (Some(from_mm), Some(of_mm)) = (number("from_tip_mm"), number("length_mm"))
            && from_mm + of_mm >= length_mm
        {
            let found = format!("a filter up to {} mm from the tip", from_mm + of_mm);
            self.add(filter, field, found, format!("a filter within the wire's {length_mm} mm"));
        }
    }

    /// Coils and plugs, and only they, leave something behind; it ends with a section, before the pusher. Only plugs are braids.
    fn implant(&mut self, device: &Node, path: &str, length_mm: f64) {
        let Some(kind) = device.get("kind") else {
            return;
        };
        let field = format!("{path}.implant");
        let leaves = matches!(kind.name(), Some("Coil" | "Plug"));
        let implant = device.get("implant").filter(|i| i.name() != Some("None"));
        match (leaves, implant) {
            (true, None) => {
                self.add(kind, field, "no `implant`".to_owned(), "an implant for coils and plugs".to_owned());
            }
            (false, Some(implant)) => {
                let allowed = "an implant for coils and plugs only".to_owned();
                self.add(implant, field, "an implant".to_owned(), allowed);
            }
            (true, Some(implant)) => {
                let Some(of_implant) = implant.get("length_mm").and_then(Node::number) else {
                    return;
                };
                let mesh = implant.get("mesh").filter(|m| m.name() != Some("None"));
                if mesh.is_some() != (kind.name() == Some("Plug")) {
                    let found = if mesh.is_some() { "a braid" } else { "no `mesh`" };
                    let allowed = "a braid for plugs and only for them".to_owned();
                    self.add(mesh.unwrap_or(kind), format!("{field}.mesh"), found.to_owned(), allowed);
                }
                let sections = device.get("sections").map_or(&[] as &[Node], Node::items);
                let mut border_mm = 0.0;
                let is_border = sections.iter().any(|s| {
                    border_mm += s.get("length_mm").and_then(Node::number).unwrap_or(f64::INFINITY);
                    (border_mm - of_implant).abs() < 1e-6
                });
                if !is_border || of_implant >= length_mm {
                    let found = format!("an implant of {of_implant} mm");
                    let allowed = format!("a length at which a section ends, below {length_mm} mm");
                    self.add(implant, format!("{field}.length_mm"), found, allowed);
                }
            }
            (false, None) => {}
        }
    }

    /// Balloon catheters and stents, and only they, have a balloon or stent, and its figures fit together.
    fn dilation(&mut self, device: &Node, path: &str, length_mm: f64) {
        let Some(kind) = device.get("kind") else { return };
        let part = |name: &str| device.get(name).filter(|n| n.name() != Some("None"));
        let (balloon, stent) = (part("balloon"), part("stent"));
        let opens_itself = stent.and_then(|s| s.get("expansion")).is_some_and(|e| e.name() == Some("Itself"));
        let wants = match kind.name() {
            Some("Balloon") => (true, false),
            Some("Stent") => (!opens_itself, true),
            _ => (false, false),
        };
        for (name, found, wanted) in [("balloon", balloon, wants.0), ("stent", stent, wants.1)] {
            let field = format!("{path}.{name}");
            match (found, wanted) {
                (None, true) => {
                    self.add(kind, field, format!("no `{name}`"), format!("a {name} for this kind"));
                }
                (Some(node), false) => {
                    let allowed =
                        "a balloon for balloon catheters and stents that one opens, a stent for stents";
                    self.add(node, field, format!("a {name}"), allowed.to_owned());
                }
                _ => {}
            }
        }
        for (node, name) in balloon.map(|b| (b, "balloon")).into_iter().chain(stent.map(|s| (s, "stent"))) {
            let number = |field: &str| node.get(field).and_then(Node::number);
            if let (Some(from), Some(long)) = (number("from_tip_mm"), number("length_mm"))
                && from + long > length_mm
            {
                let found = format!("a {name} that ends {} mm from the tip", from + long);
                let allowed = format!("at most {length_mm} mm, the device's length");
                self.add(node, format!("{path}.{name}.length_mm"), found, allowed);
            }
        }
        if let Some(balloon) = balloon {
            self.balloon(balloon, &format!("{path}.balloon"));
        }
        if let Some(stent) = stent {
            self.stent(stent, &format!("{path}.stent"), opens_itself);
        }
    }

    /// Pressures and diameters of a balloon rise in order.
    fn balloon(&mut self, balloon: &Node, path: &str) {
        let number = |n: &Node, name: &str| n.get(name).and_then(Node::number);
        let rows = balloon.get("compliance").map_or(&[] as &[Node], Node::items);
        for (i, pair) in rows.windows(2).enumerate() {
            for name in ["atm", "mm"] {
                if let (Some(a), Some(b)) = (number(&pair[0], name), number(&pair[1], name))
                    && b <= a
                {
                    let field = format!("{path}.compliance[{}].{name}", i + 1);
                    self.add(&pair[1], field, format!("{b}"), format!("more than {a}, the row before"));
                }
            }
        }
        let burst = balloon.get("burst_atm");
        let mean = burst.and_then(|b| b.items().first()).and_then(Node::number);
        let rising = [
            ("rated_atm", number(balloon, "rated_atm"), "nominal_atm", number(balloon, "nominal_atm")),
            ("burst_atm", mean, "rated_atm", number(balloon, "rated_atm")),
        ];
        for (name, high, below, low) in rising {
            if let (Some(high), Some(low), Some(node)) = (high, low, balloon.get(name))
                && high < low
            {
                let allowed = format!("at least {low} atm, its {below}");
                self.add(node, format!("{path}.{name}"), format!("{high} atm"), allowed);
            }
        }
    }

    /// A stent opens beyond its crimped diameter, and only one that opens itself pushes outwards without recoil.
    fn stent(&mut self, stent: &Node, path: &str, opens_itself: bool) {
        let number = |name: &str| stent.get(name).and_then(Node::number);
        for (small, large) in [("crimped_mm", "diameter_mm"), ("diameter_mm", "widest_mm")] {
            if let (Some(a), Some(b), Some(node)) = (number(small), number(large), stent.get(large))
                && b < a
            {
                let allowed = format!("at least {a} mm, its {small}");
                self.add(node, format!("{path}.{large}"), format!("{b} mm"), allowed);
            }
        }
        let wrong = if opens_itself { "recoil_pct" } else { "outward_n_per_mm" };
        if let (Some(value), Some(node)) = (number(wrong).filter(|v| *v > 0.0), stent.get(wrong)) {
            let kind = if opens_itself { "one that opens itself" } else { "one that a balloon opens" };
            self.add(node, format!("{path}.{wrong}"), format!("{value}"), format!("0 for {kind}"));
        }
    }

    /// Only the last section leaves its length out; the lengths add up to the device's.
    fn sections(&mut self, device: &Node, path: &str, length_mm: f64) {
        let Some(sections) = device.get("sections") else {
            return;
        };
        let items = sections.items();
        let mut sum_mm = 0.0;
        for (i, section) in items.iter().enumerate() {
            match section.get("length_mm").and_then(Node::number) {
                Some(length) => sum_mm += length,
                None if i + 1 < items.len() => {
                    let allowed = "a length; only the last section may leave it out".to_owned();
                    let field = format!("{path}.sections[{i}].length_mm");
                    return self.add(section, field, "no `length_mm`".to_owned(), allowed);
                }
                None if sum_mm < length_mm => return,
                None => {}
            }
        }
        let is_open = items.last().is_some_and(|s| s.get("length_mm").is_none());
        if is_open || (sum_mm - length_mm).abs() > 1e-6 {
            let found = format!("sections of {sum_mm} mm in all");
            let allowed = if is_open {
                format!("less than {length_mm} mm before the last")
            } else {
                format!("{length_mm} mm, the device's length")
            };
            self.add(sections, format!("{path}.sections"), found, allowed);
        }
    }

    /// Wires, coils, plugs and snares are solid, all others have a bore that is narrower than they are.
    fn bore(&mut self, device: &Node, path: &str) {
        let Some(kind) = device.get("kind") else {
            return;
        };
        let field = format!("{path}.lumen");
        let is_solid = matches!(kind.name(), Some("Wire" | "Coil" | "Plug" | "Snare"));
        match (is_solid, device.get("lumen")) {
            (true, Some(lumen)) if lumen.name() != Some("None") => {
                let allowed = "no `lumen` for wires, coils, plugs and snares".to_owned();
                self.add(lumen, field, "a solid device with a bore".to_owned(), allowed);
            }
            (false, None) => {
                self.add(
                    kind,
                    field,
                    "no `lumen`".to_owned(),
                    "a bore for everything but wires, coils, plugs and snares".to_owned(),
                );
            }
            (false, Some(lumen)) => {
                let sections = device.get("sections").map_or(&[] as &[Node], Node::items);
                let outers = sections.iter().flat_map(|s| [s.get("outer"), s.get("outer_to")]);
                let least_mm = outers.flatten().filter_map(size_mm).fold(f64::INFINITY, f64::min);
                if let Some(bore_mm) = size_mm(lumen).filter(|b| *b >= least_mm) {
                    let allowed = format!("less than {least_mm:.2} mm, the least outer diameter");
                    self.add(lumen, field, format!("a bore of {bore_mm:.2} mm"), allowed);
                }
            }
            _ => {}
        }
    }

    fn embolic(&mut self, embolic: &Node, path: &str) {
        let Some(classes) = embolic.get("size_classes") else {
            return;
        };
        for (i, class) in classes.items().iter().enumerate() {
            let number = |name: &str| class.get(name).and_then(Node::number);
            if let (Some(min), Some(max), Some(node)) =
                (number("min_mm"), number("max_mm"), class.get("max_mm"))
                && max <= min
            {
                let field = format!("{path}.size_classes[{i}].max_mm");
                self.add(node, field, format!("{max} mm"), format!("more than min_mm, {min} mm"));
            }
        }
        let shares: Option<f64> = classes.items().iter().map(|c| c.get("share").and_then(Node::number)).sum();
        if let Some(sum) = shares.filter(|s| (s - 1.0).abs() > 1e-6) {
            let found = format!("shares that add up to {sum}");
            self.add(classes, format!("{path}.size_classes"), found, "shares that add up to 1".to_owned());
        }
    }
}

fn inner(node: &Node) -> Option<f64> {
    match &node.value {
        Value::Tuple { items, .. } if items.len() == 1 => items[0].number(),
        _ => None,
    }
}

fn size_mm(node: &Node) -> Option<f64> {
    let value = inner(node)?;
    match node.name()? {
        "French" => Some(Size::French(value).to_mm()),
        "Inches" => Some(Size::Inches(value).to_mm()),
        "Mm" => Some(value),
        _ => None,
    }
}

fn piece(node: &Node) -> Option<Piece> {
    let number = |name: &str| node.get(name).and_then(Node::number);
    match node.name()? {
        "Straight" => Some(Piece::Straight { mm: number("mm")? }),
        "Arc" => Some(Piece::Arc { deg: number("deg")?, radius_mm: number("radius_mm")?, plane_deg: 0.0 }),
        _ => None,
    }
}
