//! X-ray: tables of the reference, closed forms of path lengths, the picture from body to gray, the room.

#[path = "xray/chain.rs"]
mod chain;
#[path = "xray/modes.rs"]
mod modes;
#[path = "xray/motion.rs"]
mod motion;
#[path = "xray/paths.rs"]
mod paths;
#[path = "xray/posture.rs"]
mod posture;
#[path = "xray/room.rs"]
mod room;
#[path = "xray/tables.rs"]
mod tables;

use cathnav::anatomy::{BodySurface, Branch, CenterlinePoint, Material, Mesh};
use cathnav::device::{Device, DeviceKind, Opaque, WireRun, Zone};
use cathnav::math::Vec3;
use cathnav::sim::command::ToolId;
use cathnav::sim::snapshot::{Pulse, RodDeviceView, RodView, Snapshot, Technique, VesselView};
use cathnav::xray::scatter::REFERENCE_GAP_MM;
use cathnav::xray::{CArm, DetectorProgram, ExposureControl};

pub(crate) fn revolve(
    profile: impl Fn(f64) -> (f64, f64),
    around: usize,
    along: usize,
    center: Vec3,
) -> Mesh {
    // A closed profile (radius, z) over 0..1, revolved about z.
    let mut mesh = Mesh::default();
    for i in 0..around {
        let (s, c) = (std::f64::consts::TAU * i as f64 / around as f64).sin_cos();
        for j in 0..along {
            let (r, z) = profile(j as f64 / along as f64);
            mesh.vertices_mm.push(center + Vec3::new(r * c, r * s, z));
        }
    }
    let at = |i: usize, j: usize| ((i % around) * along + j % along) as u32;
    for i in 0..around {
        for j in 0..along {
            let (a, b, c, d) = (at(i, j), at(i + 1, j), at(i + 1, j + 1), at(i, j + 1));
            mesh.triangles.push([a, b, c]);
            mesh.triangles.push([a, c, d]);
        }
    }
    mesh
}

pub(crate) fn torus(major: f64, minor: f64, center: Vec3, n: usize) -> Mesh {
    revolve(
        |t| {
            let (s, c) = (std::f64::consts::TAU * t).sin_cos();
            (major + minor * c, minor * s)
        },
        2 * n,
        n,
        center,
    )
}

pub(crate) fn sphere(radius: f64, center: Vec3, n: usize) -> Mesh {
    // An octahedron divided n times along each edge, blown up to the sphere.
    let mut mesh = Mesh::default();
    for (sx, sy, sz) in [1.0, -1.0]
        .iter()
        .flat_map(|x| [1.0, -1.0].iter().flat_map(move |y| [1.0, -1.0].iter().map(move |z| (*x, *y, *z))))
    {
        let corner = [Vec3::x() * sx, Vec3::y() * sy, Vec3::z() * sz];
        let flip = sx * sy * sz < 0.0;
        let first = mesh.vertices_mm.len() as u32;
        let index = |i: usize, j: usize| first + (i * (2 * n + 3 - i) / 2 + j) as u32;
        for i in 0..=n {
            for j in 0..=n - i {
                let k = n - i - j;
                let p = corner[0] * k as f64 + corner[1] * j as f64 + corner[2] * i as f64;
                mesh.vertices_mm.push(center + p.normalize() * radius);
            }
        }
        for i in 0..n {
            for j in 0..n - i {
                let mut push =
                    |a: u32, b: u32, c: u32| mesh.triangles.push(if flip { [a, c, b] } else { [a, b, c] });
                push(index(i, j), index(i, j + 1), index(i + 1, j));
                if j + i + 1 < n {
                    push(index(i, j + 1), index(i + 1, j + 1), index(i + 1, j));
                }
            }
        }
    }
    mesh
}

pub(crate) fn block(center: Vec3, half: Vec3) -> Mesh {
    let vertices_mm = (0..8)
        .map(|i| {
            let sign = |bit: u32| if i >> bit & 1 == 1 { 1.0 } else { -1.0 };
            center + half.component_mul(&Vec3::new(sign(0), sign(1), sign(2)))
        })
        .collect();
    let quads = [[0, 2, 3, 1], [4, 5, 7, 6], [0, 1, 5, 4], [2, 6, 7, 3], [0, 4, 6, 2], [1, 3, 7, 5]];
    let triangles = quads.iter().flat_map(|[a, b, c, d]| [[*a, *b, *c], [*a, *c, *d]]).collect();
    Mesh { vertices_mm, triangles }
}

pub(crate) fn surface(material: Material, density_g_per_cm3: f64, mesh: Mesh) -> BodySurface {
    BodySurface { name: "test".to_owned(), material, density_g_per_cm3, mesh }
}

pub(crate) fn slab(half_thickness: f64) -> Vec<BodySurface> {
    let half = Vec3::new(260.0, half_thickness, 260.0);
    vec![surface(Material::SoftTissue, 1.0, block(Vec3::zeros(), half))]
}

pub(crate) fn straight_vessel(radius_mm: f64, from: Vec3, to: Vec3) -> Branch {
    let tangent = (to - from).normalize();
    let normal = cathnav::math::orthogonal(&tangent);
    let n = 41;
    let points = (0..n)
        .map(|i| {
            let t = i as f64 / (n - 1) as f64;
            let arc_mm = t * (to - from).norm();
            CenterlinePoint { position_mm: from.lerp(&to, t), tangent, normal, radius_mm, arc_mm }
        })
        .collect();
    Branch {
        name: "vessel".to_owned(),
        ta_name: String::new(),
        label: String::new(),
        origin: None,
        distal_join: None,
        points,
        outlet: None,
        wall_ep_n_per_mm2: 0.1,
        wall_thickness_mm: 0.5,
    }
}

pub(crate) fn technique(program: DetectorProgram, water_equivalent_mm: f64, arm: &CArm) -> Technique {
    let set = ExposureControl::for_thickness(program, water_equivalent_mm, arm);
    Technique::of(&set, water_equivalent_mm, REFERENCE_GAP_MM)
}

pub(crate) fn shot(arm: CArm, technique: Technique, number: u64) -> Snapshot {
    let mut snapshot = Snapshot::default();
    snapshot.xray.arm = arm;
    snapshot.xray.technique = technique;
    snapshot.xray.pulse = Some(Pulse { number, run: None, frame_in_run: 0 });
    snapshot
}

pub(crate) fn steel_wire(diameter_mm: f64) -> Device {
    Device {
        id: "wire.test".to_owned(),
        label: String::new(),
        kind: DeviceKind::Wire,
        length_mm: 1500.0,
        inner_diameter_mm: None,
        max_outer_diameter_mm: diameter_mm,
        friction_lumen: 0.1,
        zones: vec![Zone {
            length_mm: 1500.0,
            outer_diameter_mm: diameter_mm,
            bend_stiffness_n_mm2: 100.0,
            torsion_stiffness_n_mm2: 100.0,
            rest_curvature_per_mm: 0.0,
            rest_curvature_2_per_mm: 0.0,
            friction_wall: 0.05,
            radiopacity_steel_ratio: 1.0,
            opaque: Opaque::Steel,
        }],
        side_holes_mm: Vec::new(),
        max_pressure_psi: 0.0,
        implant: None,
        loop_mm: None,
        balloon: None,
        stent: None,
        run: WireRun::default(),
        filter: None,
        source: "test".to_owned(),
    }
}

pub(crate) fn straight_rod(from: Vec3, direction: Vec3, length_mm: f64) -> RodView {
    let n = 101;
    let arc_mm: Vec<f64> = (0..n).map(|i| length_mm * i as f64 / (n - 1) as f64).collect();
    RodView {
        nodes_mm: arc_mm.iter().map(|s| from + direction * *s).collect(),
        contact_n: vec![0.0; n],
        devices: vec![RodDeviceView { tool: ToolId(0), inserted_mm: length_mm, ..RodDeviceView::default() }],
        arc_mm,
    }
}

pub(crate) fn filled(length_mm: f64, iodine: f32) -> VesselView {
    VesselView {
        cell_mm: length_mm / 10.0,
        iodine_mg_per_ml: vec![iodine; 10],
        flow_ml_per_s: vec![0.0; 10],
        ..VesselView::default()
    }
}
