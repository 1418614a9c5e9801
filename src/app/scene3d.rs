//! The see-through patient: vessels translucent, bones faint, devices as tubes, into a picture that egui shows.

use std::sync::Arc;

use bevy::asset::RenderAssetUsages;
use bevy::camera::RenderTarget;
use bevy::core_pipeline::tonemapping::Tonemapping;
use bevy::mesh::{Indices, PrimitiveTopology};
use bevy::prelude::*;
use bevy::render::render_resource::TextureFormat;
use bevy_egui::{EguiContexts, EguiTextureHandle, egui};

use super::theme;
use super::view::Picture;
use super::window::{DeskResource, begin_frame};
use crate::anatomy::{self, Material};
use crate::math::Vec3 as Vector;
use crate::sim::contact::{WallShift, Widening};
use crate::sim::dilation::{BalloonView, StentView};
use crate::sim::protection::FilterView;
use crate::sim::snapshot::{ImplantView, RodDeviceView, RodView, Snapshot};
use crate::sim::{Model, ToolId};

/// Columns and rows of the picture.
const PIXELS: u32 = 480;
/// Scene units per mm: 1 unit is 10 cm.
const UNITS_PER_MM: f32 = 0.01;
/// Corners of a tube's cross-section.
const TUBE_CORNERS: usize = 6;
/// Tubes are drawn this much thicker than they are, or a wire of 0.35 mm would not be seen.
const TUBE_GAIN: f32 = 2.0;
/// The same of struts.
const STRUT_GAIN: f32 = 1.5;

/// Displacement of vessels, and change of a radius, that are worth a new surface, mm.
const SEEN_SHIFT_MM: f64 = 0.25;
const SEEN_WIDER_MM: f64 = 0.2;
/// Opacity of a balloon.
const BALLOON_ALPHA: f32 = 0.45;
/// Struts.
const STENT_COLOR: Color = Color::srgb(0.86, 0.88, 0.90);

/// What is in the scene.
#[derive(Resource, Default)]
struct Scene {
    model: Option<Arc<Model>>,
    root: Option<Entity>,
    camera: Option<Entity>,
    texture: Option<egui::TextureId>,
    lumen: Option<Handle<Mesh>>,
    /// Displacement of the vessels that is drawn.
    shift: WallShift,
    /// How far opened vessels are drawn outside the built ones.
    widening: Widening,
    tubes: Vec<(Shown, Entity, Handle<Mesh>)>,
    center: Vec3,
    radius: f32,
    tick: u64,
}

pub(super) fn plugin(app: &mut App) {
    app.init_resource::<Scene>().add_systems(Update, (build, follow).chain().after(begin_frame));
}

/// Patient frame (LPS) to scene: +x stays the patient's left, +y is up, the viewer stands in front.
fn scene_from_patient(p_mm: &Vector) -> Vec3 {
    Vec3::new(p_mm.x as f32, p_mm.z as f32, -p_mm.y as f32) * UNITS_PER_MM
}

fn build(
    mut commands: Commands<'_, '_>,
    mut scene: ResMut<'_, Scene>,
    desk: Res<'_, DeskResource>,
    mut contexts: EguiContexts<'_, '_>,
    mut images: ResMut<'_, Assets<Image>>,
    mut meshes: ResMut<'_, Assets<Mesh>>,
    mut materials: ResMut<'_, Assets<StandardMaterial>>,
) {
    let Some(model) = desk.0.model.as_ref().filter(|_| desk.0.view.truth.is_some()) else { return };
    if scene.model.as_ref().is_some_and(|m| Arc::ptr_eq(m, model)) {
        return;
    }
    if let Some(root) = scene.root.take() {
        commands.entity(root).despawn();
    }
    let image = images.add(Image::new_target_texture(PIXELS, PIXELS, TextureFormat::Rgba8UnormSrgb, None));
    let root = commands.spawn((Transform::default(), Visibility::default())).id();
    let camera = commands
        .spawn((
            Camera3d::default(),
            Camera {
                order: -1,
                clear_color: ClearColorConfig::Custom(Color::srgb_u8(0x0F, 0x12, 0x16)),
                ..default()
            },
            RenderTarget::from(image.clone()),
            Msaa::Off,
            Tonemapping::None,
            Transform::default(),
            ChildOf(root),
        ))
        .id();
    let light = DirectionalLight { illuminance: 2500.0, ..default() };
    commands.spawn((
        light,
        Transform::from_xyz(1.0, 2.0, 4.0).looking_at(Vec3::ZERO, Vec3::Y),
        ChildOf(root),
    ));
    let vessel = glass(Color::srgba(0.90, 0.22, 0.20, 0.45));
    let bone = glass(Color::srgba(0.80, 0.80, 0.76, 0.05));
    let lumen = meshes.add(mesh_of(&model.anatomy.lumen.mesh));
    commands.spawn((Mesh3d(lumen.clone()), MeshMaterial3d(materials.add(vessel)), ChildOf(root)));
    let bone = materials.add(bone);
    for surface in model.anatomy.body.iter().filter(|s| s.material == Material::CorticalBone) {
        commands.spawn((
            Mesh3d(meshes.add(mesh_of(&surface.mesh))),
            MeshMaterial3d(bone.clone()),
            ChildOf(root),
        ));
    }
    let (center, radius) = extent(&model.anatomy.lumen.mesh);
    *scene = Scene {
        model: Some(Arc::clone(model)),
        root: Some(root),
        camera: Some(camera),
        texture: Some(contexts.add_image(EguiTextureHandle::Strong(image))),
        lumen: Some(lumen),
        shift: WallShift::default(),
        widening: Widening::default(),
        tubes: Vec::new(),
        center,
        radius,
        tick: u64::MAX,
    };
}

fn follow(
    mut commands: Commands<'_, '_>,
    mut scene: ResMut<'_, Scene>,
    mut desk: ResMut<'_, DeskResource>,
    mut cameras: Query<'_, '_, (&mut Camera, &mut Transform)>,
    mut meshes: ResMut<'_, Assets<Mesh>>,
    mut materials: ResMut<'_, Assets<StandardMaterial>>,
) {
    let scene = &mut *scene;
    let on = desk.0.view.truth.is_some() && desk.0.model.is_some();
    let Some((mut camera, mut transform)) = scene.camera.and_then(|c| cameras.get_mut(c).ok()) else {
        return;
    };
    camera.is_active = on;
    if !on {
        return;
    }
    let [yaw, pitch, zoom] = desk.0.truth_pose;
    let turn = Quat::from_euler(EulerRot::YXZ, -yaw.to_radians(), -pitch.to_radians(), 0.0);
    let eye = scene.center + turn * Vec3::Z * (scene.radius * 2.6 / zoom);
    *transform = Transform::from_translation(eye).looking_at(scene.center, Vec3::Y);
    desk.0.view.truth = Some(Picture { texture: scene.texture });
    let snapshot = &desk.0.view.snapshot;
    if snapshot.tick == scene.tick {
        return;
    }
    scene.tick = snapshot.tick;
    let Some(model) = &scene.model else { return };
    let vessels = (0..model.anatomy.tree.branches.len()).map(|b| anatomy::VesselId(b as u32));
    let wider_mm = vessels.map(|v| scene.widening.difference_mm(&snapshot.widening, v)).fold(0.0, f64::max);
    if scene.shift.difference_mm(&snapshot.wall_shift) > SEEN_SHIFT_MM || wider_mm > SEEN_WIDER_MM {
        scene.shift.clone_from(&snapshot.wall_shift);
        scene.widening.clone_from(&snapshot.widening);
        let opened = scene.widening.opened_mesh(&model.anatomy.lumen, &model.anatomy.tree);
        if let Some(mut old) = scene.lumen.as_ref().and_then(|handle| meshes.get_mut(handle)) {
            *old = mesh_of(&moved(&opened, &scene.shift));
        }
    }
    let drawn = tubes(snapshot, model);
    for (shown, mesh) in &drawn {
        let (shown, mesh) = (*shown, mesh.clone());
        match scene.tubes.iter().find(|(old, _, _)| *old == shown) {
            Some((_, _, handle)) => {
                if let Some(mut old) = meshes.get_mut(handle) {
                    *old = mesh;
                }
            }
            None => {
                let handle = meshes.add(mesh);
                let material = materials.add(material_of(shown, model));
                let entity = commands.spawn((Mesh3d(handle.clone()), MeshMaterial3d(material))).id();
                if let Some(root) = scene.root {
                    commands.entity(entity).insert(ChildOf(root));
                }
                scene.tubes.push((shown, entity, handle));
            }
        }
    }
    scene.tubes.retain(|(shown, entity, _)| {
        let stays = drawn.iter().any(|(s, _)| s == shown);
        if !stays {
            commands.entity(*entity).despawn();
        }
        stays
    });
}

/// The color of a device's kind; stents are of metal, balloons let see through.
fn material_of(shown: Shown, model: &Model) -> StandardMaterial {
    let color = |tool: ToolId| {
        let [r, g, b, _] = theme::tool_color(model.tools.get(tool.idx()).map(|d| d.kind)).to_array();
        Color::srgb_u8(r, g, b)
    };
    let solid = |base_color: Color| StandardMaterial { base_color, unlit: true, ..default() };
    match shown {
        Shown::Device(tool) | Shown::Implant(tool, _) => solid(color(tool)),
        Shown::Balloon(tool) => glass(color(tool).with_alpha(BALLOON_ALPHA)),
        Shown::Stent(..) | Shown::Filter(_) => solid(STENT_COLOR),
    }
}

/// The lumen surface where the vessels have given way.
fn moved(lumen: &anatomy::LumenMesh, shift: &WallShift) -> anatomy::Mesh {
    let mut mesh = lumen.mesh.clone();
    for (triangle, labels) in lumen.mesh.triangles.iter().zip(&lumen.labels) {
        for (vertex, label) in triangle.iter().zip(labels) {
            let place = anatomy::VesselPlace { vessel: label.vessel, arc_mm: f64::from(label.arc_mm) };
            let v = *vertex as usize;
            mesh.vertices_mm[v] = lumen.mesh.vertices_mm[v] + shift.at(&place);
        }
    }
    mesh
}

fn glass(color: Color) -> StandardMaterial {
    StandardMaterial {
        base_color: color,
        alpha_mode: AlphaMode::Blend,
        perceptual_roughness: 0.7,
        cull_mode: None,
        double_sided: true,
        ..default()
    }
}

fn mesh_of(mesh: &anatomy::Mesh) -> Mesh {
    let positions: Vec<[f32; 3]> =
        mesh.vertices_mm.iter().map(|p| scene_from_patient(p).to_array()).collect();
    let indices: Vec<u32> = mesh.triangles.iter().flatten().copied().collect();
    triangles(positions, indices)
}

fn triangles(positions: Vec<[f32; 3]>, indices: Vec<u32>) -> Mesh {
    Mesh::new(PrimitiveTopology::TriangleList, RenderAssetUsages::default())
        .with_inserted_attribute(Mesh::ATTRIBUTE_POSITION, positions)
        .with_inserted_indices(Indices::U32(indices))
        .with_computed_normals()
}

/// Center and radius of what the vessels fill, in scene units.
fn extent(mesh: &anatomy::Mesh) -> (Vec3, f32) {
    let points = || mesh.vertices_mm.iter().map(scene_from_patient);
    let low = points().reduce(Vec3::min).unwrap_or(Vec3::NEG_ONE);
    let high = points().reduce(Vec3::max).unwrap_or(Vec3::ONE);
    ((low + high) / 2.0, ((high - low).length() / 2.0).max(0.1))
}

/// What a surface shows.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Shown {
    Device(ToolId),
    Implant(ToolId, usize),
    Balloon(ToolId),
    Stent(ToolId, usize),
    Filter(ToolId),
}

/// A tube per device in the patient, per implant and balloon, and the struts of stents; none for a device that is still in the sheath.
fn tubes(snapshot: &Snapshot, model: &Model) -> Vec<(Shown, Mesh)> {
    let radius = |tool: ToolId| model.tools.get(tool.idx()).map_or(0.5, |d| d.max_outer_diameter_mm / 2.0);
    let of_rod = |rod: &RodView| -> Vec<(Shown, Mesh)> {
        let drawn =
            rod.devices.iter().map(|d| (d.tool, course(rod, d))).filter(|(_, points)| points.len() > 1);
        drawn
            .map(|(tool, points)| (Shown::Device(tool), even_tube(&points, radius(tool) as f32 * TUBE_GAIN)))
            .collect()
    };
    let points = |p: &[Vector]| p.iter().map(scene_from_patient).collect::<Vec<Vec3>>();
    let of_implant = |(number, implant): (usize, &ImplantView)| {
        let mesh = even_tube(&points(&implant.points_mm), 0.5 * implant.width_mm as f32);
        (Shown::Implant(implant.tool, number), mesh)
    };
    let of_balloon = |b: &BalloonView| {
        let radii: Vec<f32> = b.radius_mm.iter().map(|r| *r as f32).collect();
        (Shown::Balloon(b.tool), tube(&points(&b.points_mm), &radii))
    };
    let of_stent = |(number, stent): (usize, &StentView)| {
        (Shown::Stent(stent.tool, number), struts(&stent.struts_mm, stent.strut_mm))
    };
    let of_filter = |f: &FilterView| (Shown::Filter(f.tool), struts(&f.frame_mm, f.frame_thickness_mm));
    let mut all: Vec<(Shown, Mesh)> = snapshot.rods.iter().flat_map(of_rod).collect();
    all.extend(snapshot.implants.iter().enumerate().map(of_implant));
    all.extend(snapshot.balloons.iter().filter(|b| !b.is_burst).map(of_balloon));
    all.extend(snapshot.stents.iter().enumerate().map(of_stent));
    all.extend(snapshot.filters.iter().map(of_filter));
    all
}

/// A thin three-sided bar for each straight piece of a frame.
fn struts(pieces_mm: &[[Vector; 2]], strut_mm: f64) -> Mesh {
    const SIDES: u32 = 3;
    let thick = 0.5 * strut_mm as f32 * STRUT_GAIN * UNITS_PER_MM;
    let (mut positions, mut indices) = (Vec::new(), Vec::new());
    for piece in pieces_mm {
        let [a, b] = [scene_from_patient(&piece[0]), scene_from_patient(&piece[1])];
        let along = (b - a).normalize_or(Vec3::Y);
        let side = along.any_orthonormal_vector();
        let other = along.cross(side);
        let first = positions.len() as u32;
        for end in [a, b] {
            for corner in 0..SIDES {
                let (s, c) = (corner as f32 / SIDES as f32 * std::f32::consts::TAU).sin_cos();
                positions.push((end + (side * c + other * s) * thick).to_array());
            }
        }
        for corner in 0..SIDES {
            let (i, j) = (first + corner, first + (corner + 1) % SIDES);
            indices.extend([i, j, i + SIDES, j, j + SIDES, i + SIDES]);
        }
    }
    triangles(positions, indices)
}

/// Nodes of a rod up to a device's tip.
fn course(rod: &RodView, device: &RodDeviceView) -> Vec<Vec3> {
    let inside = rod.arc_mm.iter().zip(&rod.nodes_mm).take_while(|(arc, _)| **arc < device.inserted_mm);
    let mut points: Vec<Vec3> = inside.map(|(_, p)| scene_from_patient(p)).collect();
    if device.inserted_mm > 0.0 {
        points.push(scene_from_patient(&device.tip_mm));
    }
    points
}

/// A tube of one radius in mm along points.
fn even_tube(points: &[Vec3], radius_mm: f32) -> Mesh {
    tube(points, &vec![radius_mm; points.len()])
}

/// A tube along points with a radius in mm at each; empty for fewer than two.
fn tube(points: &[Vec3], radius_mm: &[f32]) -> Mesh {
    let (mut positions, mut indices) = (Vec::new(), Vec::new());
    if points.len() > 1 {
        let mut side = Vec3::ZERO;
        for (i, (p, radius_mm)) in points.iter().zip(radius_mm).enumerate() {
            let along =
                (points[(i + 1).min(points.len() - 1)] - points[i.saturating_sub(1)]).normalize_or(Vec3::Y);
            side = (side - along * side.dot(along)).normalize_or(along.any_orthonormal_vector());
            let other = along.cross(side);
            for corner in 0..TUBE_CORNERS {
                let (s, c) = (corner as f32 / TUBE_CORNERS as f32 * std::f32::consts::TAU).sin_cos();
                positions.push((*p + (side * c + other * s) * *radius_mm * UNITS_PER_MM).to_array());
            }
        }
        let n = TUBE_CORNERS as u32;
        for ring in 0..points.len() as u32 - 1 {
            for corner in 0..n {
                let (a, b) = (ring * n + corner, ring * n + (corner + 1) % n);
                indices.extend([a, b, a + n, b, b + n, a + n]);
            }
        }
    }
    triangles(positions, indices)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn struts_are_bars_of_their_thickness_and_a_balloon_follows_its_radii() {
        let piece = [Vector::new(0.0, 0.0, 0.0), Vector::new(3.0, 0.0, 4.0)];
        let mesh = struts(&[piece; 2], 0.2);
        assert_eq!(mesh.count_vertices(), 12);
        let positions = mesh.attribute(Mesh::ATTRIBUTE_POSITION).unwrap().as_float3().unwrap();
        let r = Vec3::from_array(positions[0]).length();
        assert!((r - 0.1 * STRUT_GAIN * UNITS_PER_MM).abs() < 1e-6, "{r}");
        let points: Vec<Vec3> = (0..3).map(|i| Vec3::Y * i as f32).collect();
        let mesh = tube(&points, &[1.0, 4.0, 1.0]);
        let positions = mesh.attribute(Mesh::ATTRIBUTE_POSITION).unwrap().as_float3().unwrap();
        let r = (Vec3::from_array(positions[TUBE_CORNERS]) - points[1]).length();
        assert!((r - 4.0 * UNITS_PER_MM).abs() < 1e-6, "{r}");
    }

    #[test]
    fn a_tube_has_its_radius_everywhere_and_the_viewer_stands_in_front() {
        let points: Vec<Vec3> =
            (0..20).map(|i| Vec3::new((i as f32 * 0.3).sin(), i as f32 * 0.1, 0.0)).collect();
        let mesh = even_tube(&points, 1.0);
        let positions = mesh.attribute(Mesh::ATTRIBUTE_POSITION).unwrap().as_float3().unwrap();
        assert_eq!(positions.len(), 20 * TUBE_CORNERS);
        for (i, p) in positions.iter().enumerate() {
            let r = (Vec3::from_array(*p) - points[i / TUBE_CORNERS]).length();
            assert!((r - UNITS_PER_MM).abs() < 1e-6, "{r}");
        }
        assert_eq!(even_tube(&[], 1.0).count_vertices(), 0);
        let anterior = scene_from_patient(&Vector::new(0.0, -100.0, 0.0));
        assert!(anterior.z > 0.9, "anterior is towards the viewer");
        assert!(
            scene_from_patient(&Vector::new(100.0, 0.0, 0.0)).x > 0.9,
            "the patient's left is on the right"
        );
    }
}
