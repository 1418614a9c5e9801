//! A body from its parts: which recipes, which outline for sex and build, in the order of the overlap rule.

use super::cervical;
use super::limbs::{self, Scapula};
use super::sdf::v;
use super::{
    Recipe, bones, largest, lumbar_recipes, lungs, organs, pelvis, ribs_of, sdf, skin, skull, spine,
    thoracic_recipes, thorax,
};
use crate::anatomy::description::{BodyDescription, BodyPart, Habitus, Sex};
use crate::anatomy::{BodySurface, Landmark, Material};
use crate::math::Vec3;

/// Density of enamel and dentine, g/cm3 (ICRP 110: 2.75 for enamel; with roots `[D]`).
const TOOTH_G_PER_CM3: f64 = 2.2;
/// Density of plates of 1 to 2 mm that are drawn 2.5 to 3.5 mm thick, g/cm3 `[D]`.
const THIN_BONE_G_PER_CM3: f64 = 1.4;
const FAT_G_PER_CM3: f64 = 0.95;
const SOFT_G_PER_CM3: f64 = 1.05;
const AIR_G_PER_CM3: f64 = 0.0012;

/// Psoas muscles in their fat.
pub(super) fn psoas(d: &BodyDescription) -> Vec<BodySurface> {
    let fat = organs::psoas_fat().map(|s| meshed(&s, Material::Fat, FAT_G_PER_CM3, 1.8, d));
    let muscles = organs::psoas_muscles().map(|s| meshed(&s, Material::SoftTissue, SOFT_G_PER_CM3, 1.8, d));
    fat.into_iter().chain(muscles).collect()
}

/// All surfaces of a body: outlines, lungs, fat, organs, cortex, trabecular bone, gas.
pub(super) fn body(d: &BodyDescription) -> Vec<BodySurface> {
    let has = |part: BodyPart| d.parts.contains(&part);
    let mut all = outlines(d);
    if has(BodyPart::Thorax) {
        all.extend(lungs(d));
        for (k, name) in [(1.0, "lung_vessels.left"), (-1.0, "lung_vessels.right")] {
            let pieces = organs::lung_vessels(k);
            let sdf = |p: &Vec3| {
                let one = |x: &(Vec3, Vec3, f64, f64)| sdf::chain(p, &[(x.0, x.2), (x.1, x.3)], 0.1);
                pieces.iter().map(one).fold(f64::INFINITY, f64::min).max(thorax::lung(p, k) + 4.0)
            };
            let (a, b) = (v(k * 4.0, -112.0, 200.0), v(k * 130.0, 62.0, 466.0));
            let mesh = sdf::mesh(&sdf, &a.inf(&b), &a.sup(&b), d.grid_mm, d.edge_mm);
            all.push(surface(name, Material::SoftTissue, SOFT_G_PER_CM3, mesh));
        }
        all.push(meshed(&organs::heart(), Material::SoftTissue, SOFT_G_PER_CM3, 2.0, d));
    }
    if has(BodyPart::Organs) {
        let fat = organs::fat().into_iter().chain(organs::psoas_fat());
        all.extend(fat.map(|s| meshed(&s, Material::Fat, FAT_G_PER_CM3, 1.8, d)));
        all.extend(organs::solid().iter().map(|s| meshed(s, Material::SoftTissue, SOFT_G_PER_CM3, 1.8, d)));
    }
    let hip = pelvis::HipBone::new();
    let blade = Scapula::new();
    all.extend(bones(&recipes(d, &hip, &blade), d));
    if has(BodyPart::Thorax) {
        all.extend(ribs_of(d, 0..12));
    } else if has(BodyPart::Abdomen) {
        all.extend(ribs_of(d, 9..12));
    }
    if has(BodyPart::Head) {
        let (low, high) = (v(-32.0, -136.0, 534.0), v(32.0, -84.0, 582.0));
        let mesh = sdf::mesh(&skull::teeth, &low, &high, 1.6, 2.6);
        all.push(surface("teeth", Material::CorticalBone, TOOTH_G_PER_CM3, mesh));
    }
    all.extend(gas(d));
    all
}

fn surface(
    name: &str,
    material: Material,
    density_g_per_cm3: f64,
    mesh: crate::anatomy::Mesh,
) -> BodySurface {
    BodySurface { name: name.to_owned(), material, density_g_per_cm3, mesh }
}

fn meshed(
    s: &organs::Shape,
    material: Material,
    density_g_per_cm3: f64,
    coarse: f64,
    d: &BodyDescription,
) -> BodySurface {
    let (low, high) = (Vec3::from(s.low), Vec3::from(s.high));
    let mesh = largest(sdf::mesh(&*s.sdf, &low, &high, coarse * d.grid_mm, coarse * d.edge_mm));
    surface(s.name, material, density_g_per_cm3, mesh)
}

fn gas(d: &BodyDescription) -> Vec<BodySurface> {
    let mut out = Vec::new();
    if d.parts.contains(&BodyPart::Abdomen) {
        let has_organs = d.parts.contains(&BodyPart::Organs);
        // Bowel in front lies behind the front wall, wherever that is.
        let forwards_mm = match d.habitus {
            Habitus::Slim => -24.0,
            Habitus::Normal => 0.0,
            Habitus::Obese => 22.0,
        };
        let forwards_mm = forwards_mm - if d.sex == Sex::Female { 16.0 } else { 0.0 };
        for s in organs::gas().iter().filter(|s| has_organs || s.name != "gas.stomach") {
            let mut gas = meshed(s, Material::Air, AIR_G_PER_CM3, 1.5, d);
            if ["gas.transverse_colon", "gas.ileum_1", "gas.ileum_2", "gas.jejunum"].contains(&s.name) {
                gas.mesh.vertices_mm.iter_mut().for_each(|p| p.y -= forwards_mm);
            }
            out.push(gas);
        }
    }
    let mut air = |name: &str, sdf: fn(&Vec3) -> f64, low: [f64; 3], high: [f64; 3]| {
        let mesh = sdf::mesh(&sdf, &Vec3::from(low), &Vec3::from(high), 1.2 * d.grid_mm, 1.2 * d.edge_mm);
        out.push(surface(name, Material::Air, AIR_G_PER_CM3, mesh));
    };
    if d.parts.contains(&BodyPart::Head) {
        air("gas.sinuses", skull::air, [-64.0, -140.0, 572.0], [64.0, -8.0, 668.0]);
    }
    if d.parts.contains(&BodyPart::Neck) {
        air("gas.airway", skull::airway, [-14.0, -86.0, 364.0], [14.0, -18.0, 608.0]);
    }
    if d.parts.contains(&BodyPart::Thorax) {
        air("gas.bronchi", skull::bronchi, [-38.0, -42.0, 326.0], [54.0, -12.0, 384.0]);
    }
    out
}

/// Outlines: skin filled with fat, and inside it muscles as soft tissue; limbs and head as shapes of their own.
fn outlines(d: &BodyDescription) -> Vec<BodySurface> {
    let has = |part: BodyPart| d.parts.contains(&part);
    let limbs_only = d
        .parts
        .iter()
        .all(|p| matches!(p, BodyPart::ArmRight | BodyPart::LegLeft | BodyPart::Head | BodyPart::Neck));
    let mut fat = Vec::new();
    let mut muscle = Vec::new();
    if !limbs_only {
        let mut two =
            skin::envelope(&skin::stations(d.sex, d.habitus, has(BodyPart::Head) || has(BodyPart::Neck)));
        muscle.extend(two.pop());
        fat.extend(two.pop());
    }
    let layer = match (d.habitus, d.sex) {
        (Habitus::Slim, Sex::Male) => 4.0,
        (Habitus::Slim, Sex::Female) | (Habitus::Normal, Sex::Male) => 7.0,
        (Habitus::Normal, Sex::Female) => 10.0,
        (Habitus::Obese, _) => 16.0,
    };
    let mut shape =
        |name: &str, sdf: fn(&Vec3, f64) -> f64, thick: f64, low: [f64; 3], high: [f64; 3], mirror: bool| {
            for (inside, list) in [(0.0, &mut fat), (thick, &mut muscle)] {
                let mesh = sdf::mesh(&|p| sdf(p, inside), &Vec3::from(low), &Vec3::from(high), 6.0, 9.0);
                let mesh = if mirror { sdf::mirrored(&mesh) } else { mesh };
                let (what, material, density) = if inside > 0.0 {
                    ("muscle", Material::SoftTissue, SOFT_G_PER_CM3)
                } else {
                    ("skin", Material::Fat, FAT_G_PER_CM3)
                };
                list.push(surface(&format!("{what}.{name}"), material, density, mesh));
            }
        };
    if has(BodyPart::ArmRight) {
        shape("arm.right", limbs::arm_skin, layer, [112.0, -110.0, -320.0], [258.0, 64.0, 470.0], true);
    }
    if has(BodyPart::LegLeft) {
        shape("leg.left", limbs::leg_skin, 1.3 * layer, [0.0, -180.0, -990.0], [200.0, 90.0, -100.0], false);
    }
    if has(BodyPart::Head) || has(BodyPart::Neck) {
        shape("head", skull::skin, 0.6 * layer, [-100.0, -170.0, 396.0], [100.0, 70.0, 746.0], false);
    }
    fat.extend(muscle);
    fat
}

/// Point of the body of a sex in the frame of the recipes, which are female: a man's joint of the hip is a seventh larger, his
/// true pelvis narrower below `[D]`.
fn template(p: &Vec3, sex: Sex) -> Vec3 {
    let smooth = |t: f64| {
        let t = t.clamp(0.0, 1.0);
        t * t * (3.0 - 2.0 * t)
    };
    // The lip of the crest stands on its line: its top, not its middle, is to lie at L4/5.
    let p = &v(p.x, p.y, p.z + 3.0 * smooth((p.z - 10.0) / 30.0));
    if sex == Sex::Female {
        return *p;
    }
    let c = v(p.x.signum() * pelvis::HIP_CENTER[0], pelvis::HIP_CENTER[1], pelvis::HIP_CENTER[2]);
    let away = p - c;
    let r = away.norm();
    let k = pelvis::HEAD_RADIUS_MM / MALE_HEAD_RADIUS_MM;
    let q = c + away * (k + (1.0 - k) * smooth((r - 30.0) / 45.0));
    let low = smooth((-70.0 - q.z) / 80.0);
    let medial = 1.0 - smooth((q.x.abs() - 50.0) / 28.0);
    v(q.x + q.x.signum() * 6.0 * low * medial * (q.x.abs() / 12.0).min(1.0), q.y, q.z)
}

/// Radius of a man's femoral head: diameter 49 mm `[K]`.
pub(super) const MALE_HEAD_RADIUS_MM: f64 = 24.5;

fn recipe<'a>(
    name: &'static str,
    outer: impl Fn(&Vec3) -> f64 + Sync + 'a,
    cortex: impl Fn(&Vec3) -> f64 + Sync + 'a,
    trabecular_g_per_cm3: f64,
    low: [f64; 3],
    high: [f64; 3],
) -> Recipe<'a> {
    Recipe {
        name,
        outer: Box::new(outer),
        cortex_mm: Box::new(cortex),
        cortical_g_per_cm3: super::CORTICAL_G_PER_CM3,
        trabecular_g_per_cm3,
        low: Vec3::from(low),
        high: Vec3::from(high),
        is_paired: false,
        coarseness: 1.1,
    }
}

fn recipes<'a>(d: &BodyDescription, hip: &'a pelvis::HipBone, blade: &'a Scapula) -> Vec<Recipe<'a>> {
    let has = |part: BodyPart| d.parts.contains(&part);
    let sex = d.sex;
    let mut out: Vec<Recipe<'a>> = Vec::new();
    if has(BodyPart::Thorax) || has(BodyPart::Abdomen) {
        out.extend(lumbar_recipes());
        let from = if has(BodyPart::Thorax) { 0 } else { 9 };
        out.extend(thoracic_recipes().into_iter().skip(from).take(12 - from));
    } else if has(BodyPart::Pelvis) {
        out.extend(lumbar_recipes().into_iter().skip(2));
    }
    if has(BodyPart::Thorax) {
        out.extend(thoracic_recipes().into_iter().skip(12));
        out.push(Recipe {
            is_paired: true,
            ..recipe(
                "scapula.left",
                |p| blade.outer(p),
                |_| 1.2,
                1.155,
                [66.0, -54.0, 308.0],
                [196.0, 62.0, 462.0],
            )
        });
    }
    if has(BodyPart::Pelvis) {
        out.push(recipe("sacrum", spine::sacrum, |_| 0.9, 1.042, [-64.0, -26.0, -116.0], [64.0, 64.0, 22.0]));
        out.push(recipe(
            "coccyx",
            spine::coccyx,
            |_| 0.9,
            1.042,
            [-14.0, 12.0, -138.0],
            [14.0, 42.0, -104.0],
        ));
        out.push(Recipe {
            is_paired: true,
            ..recipe(
                "hip.left",
                move |p| hip.outer(&template(p, sex)),
                move |p| pelvis::HipBone::cortex_mm(&template(p, sex)),
                1.116,
                [-2.0, -108.0, -174.0],
                [154.0, 68.0, 58.0],
            )
        });
        if has(BodyPart::LegLeft) {
            let whole = move |p: &Vec3| {
                let q = template(p, sex);
                let upper = pelvis::femur_uncut(&q);
                sdf::join(upper, limbs::femur_shaft(p), 6.0)
            };
            let cortex = move |p: &Vec3| {
                if p.z > -245.0 {
                    pelvis::femur_cortex_mm(&template(p, sex))
                } else {
                    limbs::long_cortex_mm(p.z, 0.0, -532.0, 7.0)
                }
            };
            out.push(recipe("femur.left", whole, cortex, 1.085, [40.0, -62.0, -536.0], [152.0, 36.0, -72.0]));
            let right = move |p: &Vec3| pelvis::femur(&template(&v(-p.x, p.y, p.z), sex));
            let cortex = move |p: &Vec3| pelvis::femur_cortex_mm(&template(&v(-p.x, p.y, p.z), sex));
            out.push(recipe(
                "femur.right",
                right,
                cortex,
                1.085,
                [-152.0, -60.0, -250.0],
                [-56.0, 12.0, -72.0],
            ));
        } else {
            out.push(Recipe {
                is_paired: true,
                ..recipe(
                    "femur.left",
                    move |p| pelvis::femur(&template(p, sex)),
                    move |p| pelvis::femur_cortex_mm(&template(p, sex)),
                    1.085,
                    [56.0, -60.0, -250.0],
                    [152.0, 12.0, -72.0],
                )
            });
        }
    } else if has(BodyPart::LegLeft) {
        let cortex = |p: &Vec3| limbs::long_cortex_mm(p.z, -160.0, -532.0, 7.0);
        out.push(recipe(
            "femur.left",
            limbs::femur_shaft,
            cortex,
            1.085,
            [40.0, -48.0, -536.0],
            [138.0, 36.0, -166.0],
        ));
    }
    out.extend(limb_recipes(d));
    out.extend(head_recipes(d));
    out
}

fn limb_recipes(d: &BodyDescription) -> Vec<Recipe<'static>> {
    let mut out = Vec::new();
    if d.parts.contains(&BodyPart::LegLeft) {
        let long = |top, bottom, most| move |p: &Vec3| limbs::long_cortex_mm(p.z, top, bottom, most);
        out.push(recipe(
            "tibia.left",
            limbs::tibia,
            long(-534.0, -912.0, 5.0),
            1.11,
            [38.0, -42.0, -916.0],
            [128.0, 24.0, -528.0],
        ));
        out.push(recipe(
            "fibula.left",
            limbs::fibula,
            long(-550.0, -914.0, 3.0),
            1.11,
            [80.0, -10.0, -920.0],
            [130.0, 28.0, -546.0],
        ));
        out.push(recipe(
            "patella.left",
            limbs::patella,
            |_| 1.2,
            1.11,
            [60.0, -62.0, -526.0],
            [110.0, -32.0, -474.0],
        ));
        out.push(recipe(
            "foot.left",
            limbs::foot,
            |_| 1.2,
            1.11,
            [36.0, -156.0, -966.0],
            [110.0, 60.0, -896.0],
        ));
    }
    if d.parts.contains(&BodyPart::ArmRight) {
        let at = |sdf: fn(&Vec3) -> f64| move |p: &Vec3| sdf(&v(-p.x, p.y, p.z));
        let long = |top, bottom, most| move |p: &Vec3| limbs::long_cortex_mm(p.z, top, bottom, most);
        out.push(recipe(
            "humerus.right",
            at(limbs::humerus),
            long(438.0, 88.0, 4.2),
            1.16,
            [-222.0, -36.0, 84.0],
            [-150.0, 22.0, 442.0],
        ));
        out.push(recipe(
            "radius.right",
            at(limbs::radius),
            long(98.0, -160.0, 2.6),
            1.11,
            [-230.0, -46.0, -164.0],
            [-184.0, 4.0, 102.0],
        ));
        out.push(recipe(
            "ulna.right",
            at(limbs::ulna),
            long(118.0, -158.0, 2.6),
            1.11,
            [-212.0, -34.0, -162.0],
            [-164.0, 22.0, 122.0],
        ));
        out.push(recipe(
            "hand.right",
            at(limbs::hand),
            |_| 1.0,
            1.11,
            [-258.0, -84.0, -310.0],
            [-164.0, -14.0, -154.0],
        ));
    }
    out
}

fn head_recipes(d: &BodyDescription) -> Vec<Recipe<'static>> {
    let mut out = Vec::new();
    if d.parts.contains(&BodyPart::Neck) {
        for c in &cervical::LOWER {
            let (y, z) = c.center_mm;
            let (low, high) = ([-40.0, y - 24.0, z - 34.0], [40.0, y + 66.0, z + 24.0]);
            out.push(recipe(c.name, |p| c.outer(p), |p| c.cortex_mm(p), 1.09, low, high));
        }
        out.push(recipe("c2", cervical::axis, |_| 0.9, 1.09, [-32.0, -46.0, 544.0], [32.0, 16.0, 594.0]));
        out.push(recipe("c1", cervical::atlas, |_| 1.0, 1.09, [-42.0, -50.0, 566.0], [42.0, 8.0, 594.0]));
    }
    if d.parts.contains(&BodyPart::Head) {
        let (low, high) = ([-76.0, -142.0, 570.0], [76.0, 52.0, 736.0]);
        out.push(recipe("cranium", skull::cranium, skull::table_mm, 1.2, low, high));
        // Dense or thin all through: an inner surface there is none.
        let (low, high) = ([-72.0, -62.0, 600.0], [72.0, -12.0, 632.0]);
        out.push(recipe("petrous", skull::petrous, |_| 30.0, 1.2, low, high));
        let (low, high) = ([-72.0, -140.0, 582.0], [72.0, -30.0, 660.0]);
        let base = recipe("skull_base", skull::base, |_| 30.0, 1.2, low, high);
        out.push(Recipe { cortical_g_per_cm3: THIN_BONE_G_PER_CM3, ..base });
        let (low, high) = ([-74.0, -146.0, 562.0], [74.0, -44.0, 660.0]);
        let face = recipe("face", skull::face, |_| 30.0, 1.2, low, high);
        out.push(Recipe { cortical_g_per_cm3: THIN_BONE_G_PER_CM3, ..face });
        out.push(recipe(
            "mandible",
            skull::mandible,
            |_| 2.4,
            1.2,
            [-64.0, -140.0, 508.0],
            [64.0, -40.0, 610.0],
        ));
    }
    out
}

/// Named points that the parts define.
pub(super) fn landmarks(d: &BodyDescription) -> Vec<Landmark> {
    let has = |part: BodyPart| d.parts.contains(&part);
    let mut out = Vec::new();
    let mut add = |name: &str, p: [f64; 3]| {
        out.push(Landmark { name: name.to_owned(), position_mm: Vec3::from(p) });
    };
    if has(BodyPart::Thorax) || has(BodyPart::Abdomen) {
        for t in thorax::THORACIC.iter().skip(if has(BodyPart::Thorax) { 0 } else { 9 }) {
            add(&format!("{}.center", t.name), [0.0, t.center_mm.0, t.center_mm.1]);
        }
    }
    if has(BodyPart::Neck) {
        for c in &cervical::LOWER {
            add(&format!("{}.center", c.name), [0.0, c.center_mm.0, c.center_mm.1]);
        }
        add("dens.tip", [0.0, -31.0, 589.0]);
    }
    if has(BodyPart::Thorax) {
        add("carina", [2.0, -28.0, 372.0]);
        add("jugular_notch", [0.0, -66.0, 423.0]);
    }
    if has(BodyPart::Head) {
        add("sella", [0.0, -60.0, 632.0]);
        add("nasion", [0.0, -129.0, 640.0]);
        add("basion", [0.0, -36.0, 594.0]);
        add("menton", [0.0, -128.0, 515.0]);
        add("bregma", [0.0, -40.0, 728.0]);
        for (side, s) in [("left", 1.0), ("right", -1.0)] {
            add(&format!("orbit.{side}.center"), [s * 33.0, -118.0, 625.0]);
            add(&format!("petrous_ridge.{side}.lateral"), [s * 58.0, -28.0, 628.0]);
            add(&format!("petrous_ridge.{side}.medial"), [s * 12.0, -54.0, 620.0]);
            add(&format!("gonion.{side}"), [s * 48.0, -62.0, 545.0]);
        }
    }
    if has(BodyPart::LegLeft) {
        add("knee_joint.left", [85.0, -6.0, -531.0]);
        add("ankle_joint.left", [68.0, -4.0, -901.0]);
    }
    if has(BodyPart::ArmRight) {
        add("humeral_head.right.center", [-183.0, -8.0, 415.0]);
        add("elbow_joint.right", [-186.0, -8.0, 96.0]);
    }
    if has(BodyPart::Organs) {
        add("kidney.left.center", [58.0, 14.0, 158.0]);
        add("kidney.right.center", [-58.0, 14.0, 146.0]);
    }
    if has(BodyPart::Pelvis) {
        out.extend(super::pelvis_landmarks());
    }
    if has(BodyPart::Pelvis) || has(BodyPart::Abdomen) || has(BodyPart::Thorax) {
        out.extend(super::lumbar_landmarks());
    }
    out
}
