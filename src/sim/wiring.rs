//! Derived once a tick from the rods: which vessels devices fill and which lumens can be injected through.

use super::command::ToolId;
use super::contact::WallQuery;
use super::flow::Obstruction;
use super::snapshot::{RodDeviceView, RodView};
use super::world::FreeBody;
use crate::anatomy::VesselPlace;
use crate::device::Device;

/// Places of a rod's nodes on the tree, in node order.
pub(super) fn node_places(rod: &RodView, wall: &dyn WallQuery) -> Vec<Option<VesselPlace>> {
    rod.nodes_mm.iter().map(|p| wall.at(p).place).collect()
}

/// Stretches of vessel that a rod fills, with the outer diameter of the outermost device there.
pub(super) fn obstructions(
    rod: &RodView,
    places: &[Option<VesselPlace>],
    tools: &[Device],
    body: u32,
) -> Vec<Obstruction> {
    let mut out: Vec<Obstruction> = Vec::new();
    for (i, pair) in places.windows(2).enumerate() {
        let [Some(a), Some(b)] = pair else { continue };
        if a.vessel != b.vessel {
            continue;
        }
        let arc = 0.5 * (rod.arc_mm[i] + rod.arc_mm[i + 1]);
        let Some(device) = rod.devices.iter().find(|d| d.inserted_mm > arc) else { continue };
        let outer_diameter_mm =
            tools[device.tool.idx()].section_at(device.shed_mm + device.inserted_mm - arc).outer_diameter_mm;
        let (from_mm, to_mm) = (a.arc_mm.min(b.arc_mm), a.arc_mm.max(b.arc_mm));
        match out.last_mut() {
            Some(last)
                if last.vessel == a.vessel
                    && (last.outer_diameter_mm - outer_diameter_mm).abs() < 1e-9
                    && from_mm <= last.to_mm + 1e-9
                    && to_mm >= last.from_mm - 1e-9 =>
            {
                last.from_mm = last.from_mm.min(from_mm);
                last.to_mm = last.to_mm.max(to_mm);
            }
            _ => out.push(Obstruction { vessel: a.vessel, from_mm, to_mm, outer_diameter_mm, body }),
        }
    }
    out
}

/// A lodged free body as an obstruction of its own length and size.
pub(super) fn plug(lodged: &FreeBody, body: u32) -> Obstruction {
    let FreeBody { place, radius_mm, .. } = lodged;
    Obstruction {
        vessel: place.vessel,
        from_mm: place.arc_mm - radius_mm,
        to_mm: place.arc_mm + radius_mm,
        outer_diameter_mm: 2.0 * radius_mm,
        body,
    }
}

/// Openings of a device that lie in vessels, tip first, then side holes; none while the tip is outside or still inside
/// the device around it.
pub(super) fn openings(
    rod: &RodView,
    places: &[Option<VesselPlace>],
    index: usize,
    tools: &[Device],
) -> Vec<VesselPlace> {
    let device = &rod.devices[index];
    let covered_to_mm = rod.devices[..index].iter().map(|d| d.inserted_mm).fold(0.0, f64::max);
    let tool = &tools[device.tool.idx()];
    let mut arcs = vec![device.inserted_mm];
    arcs.extend(tool.side_holes_mm.iter().map(|from_tip| device.inserted_mm - from_tip));
    // A tip inside the device around it injects into that lumen, which leads to that device's own tip.
    if device.inserted_mm < covered_to_mm {
        arcs = vec![covered_to_mm];
    }
    arcs.into_iter()
        .filter(|arc| *arc > 0.0 && *arc >= covered_to_mm - 1e-9)
        .filter_map(|arc| place_at_arc(rod, places, arc))
        .collect()
}

/// Place of the node nearest to an arc length.
fn place_at_arc(rod: &RodView, places: &[Option<VesselPlace>], arc_mm: f64) -> Option<VesselPlace> {
    let hi = rod.arc_mm.partition_point(|a| *a < arc_mm).min(rod.arc_mm.len().checked_sub(1)?);
    let lo = hi.saturating_sub(1);
    let nearest = if (rod.arc_mm[hi] - arc_mm).abs() < (rod.arc_mm[lo] - arc_mm).abs() { hi } else { lo };
    places[nearest].or(places[hi]).or(places[lo])
}

/// Largest outer diameter of what lies inside a device's lumen, 0 if nothing, mm.
pub(super) fn inside_diameter_mm(rod: &RodView, index: usize, tools: &[Device]) -> f64 {
    let outer = &rod.devices[index];
    let hub_mm = outer.inserted_mm - tools[outer.tool.idx()].length_mm;
    rod.devices[index + 1..]
        .iter()
        .filter(|inner| inner.inserted_mm > hub_mm)
        .map(|inner| tools[inner.tool.idx()].section_at(60.0).outer_diameter_mm)
        .fold(0.0, f64::max)
}

/// The device view of a tool, with its rod's index and its own.
pub(super) fn find_tool(rods: &[RodView], tool: ToolId) -> Option<(usize, usize, &RodDeviceView)> {
    rods.iter().enumerate().find_map(|(r, rod)| {
        rod.devices.iter().enumerate().find(|(_, d)| d.tool == tool).map(|(i, d)| (r, i, d))
    })
}
