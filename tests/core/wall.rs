//! Wall distance: grid against exact against closed form, whatever is asked first and from however many threads.

use std::hint::black_box;
use std::time::Instant;

use cathnav::anatomy::VesselTree;
use cathnav::math::Vec3;
use cathnav::math::rng::{ChaCha8Rng, Stream, stream, uniform};
use cathnav::sim::contact::{MeshWall, WallQuery as _};

use crate::tubes::{bend, branch, flipped, straight, tube};

/// A bent tube that narrows from 6 mm to 1 mm, so that all grid levels and the changes between them occur.
fn narrowing() -> (cathnav::anatomy::LumenMesh, VesselTree) {
    let b = branch("bend", &bend(60.0, 150.0, 0.7), |arc| 6.0 - 5.0 * (arc / 150.0).clamp(0.0, 1.0));
    (tube(&b, 22), VesselTree { branches: vec![b] })
}

fn random_near(tree: &VesselTree, rng: &mut ChaCha8Rng, beyond_mm: f64) -> Vec3 {
    let b = &tree.branches[0];
    let p = b.at(b.length_mm() * (0.05 + 0.9 * uniform(rng)));
    let angle = std::f64::consts::TAU * uniform(rng);
    let out = (p.radius_mm + beyond_mm) * uniform(rng).sqrt();
    p.position_mm + (p.normal * angle.cos() + p.tangent.cross(&p.normal) * angle.sin()) * out
}

/// The exact distance turns from one facet to another within a cell of the point.
fn near_crease(wall: &MeshWall, p: &Vec3, cell_mm: f64) -> bool {
    let here = wall.exact_at(p);
    (0..6).any(|k| {
        let mut q = *p;
        q[k % 3] += if k < 3 { cell_mm } else { -cell_mm };
        let there = wall.exact_at(&q);
        here.inside_mm * there.inside_mm > 0.0 && here.inward.dot(&there.inward) < 0.5
    })
}

#[test]
fn grid_agrees_with_triangles() {
    let (lumen, tree) = narrowing();
    for lumen in [flipped(&lumen), lumen] {
        let wall = MeshWall::new(&lumen, &tree);
        let mut rng = stream(1, Stream::World);
        let (mut worst, mut worst_turn, mut used) = (0.0_f64, 0.0_f64, 0);
        for _ in 0..20_000 {
            let p = random_near(&tree, &mut rng, 1.0);
            let exact = wall.exact_at(&p);
            let cell_mm = (exact.radius_mm / 6.0).clamp(0.15, 0.6);
            if exact.inside_mm.abs() > 1.0 || near_crease(&wall, &p, cell_mm) {
                continue;
            }
            used += 1;
            let grid = wall.at(&p);
            worst = worst.max((grid.inside_mm - exact.inside_mm).abs());
            worst_turn = worst_turn.max(grid.inward.angle(&exact.inward));
            assert!((grid.inward.norm() - 1.0).abs() < 1e-12);
            let (a, b) = (grid.place.unwrap(), exact.place.unwrap());
            assert!((a.arc_mm - b.arc_mm).abs() < 1e-6, "{a:?} {b:?}");
        }
        println!("grid against triangles: {used} points, worst {worst:.4} mm, {worst_turn:.3} rad");
        assert!(used > 8_000 && worst < 0.05);
    }
}

#[test]
fn wall_of_a_round_tube_is_its_radius() {
    let (lumen, tree) = straight(3.0, 60.0, 1.0, 28);
    let wall = MeshWall::new(&lumen, &tree);
    let facet_mm = 3.0 * (1.0 - (std::f64::consts::PI / 28.0).cos());
    let mut worst = 0.0_f64;
    let mut rng = stream(2, Stream::World);
    for _ in 0..5_000 {
        let p = random_near(&tree, &mut rng, 2.0);
        let r = p.xy().norm();
        if r < 1.0 {
            continue;
        }
        let hit = wall.at(&p);
        worst = worst.max((hit.inside_mm - (3.0 - r)).abs());
        let inward = -Vec3::new(p.x, p.y, 0.0) / r;
        assert!(hit.inward.dot(&inward) > 0.97, "{p:?} {hit:?}");
        assert!((hit.radius_mm - 3.0).abs() < 1e-9);
        assert!((hit.place.unwrap().arc_mm - p.z).abs() < 1e-6);
    }
    println!("tube: worst {worst:.4} mm, facets explain {facet_mm:.4} mm");
    assert!(worst < facet_mm + 0.01);
}

/// Along a line that crosses cells, bricks and levels the distance has no step, and its slope is the gradient's.
#[test]
fn no_steps_between_cells_and_levels() {
    let (lumen, tree) = narrowing();
    let wall = MeshWall::new(&lumen, &tree);
    let b = &tree.branches[0];
    let h = 0.003;
    let (mut worst_step, mut worst_slope) = (0.0_f64, 0.0_f64);
    for share in [0.5, 0.8, 0.95] {
        let at = |arc: f64| {
            let p = b.at(arc);
            p.position_mm + p.normal * (p.radius_mm * share)
        };
        let mut arc = 5.0;
        while arc < 145.0 {
            let (p, q) = (at(arc), at(arc + h));
            let (x, y) = (wall.at(&p), wall.at(&q));
            let step = (y.inside_mm - x.inside_mm).abs() - (q - p).norm();
            worst_step = worst_step.max(step);
            let slope = (y.inside_mm - x.inside_mm) - 0.5 * (x.inward + y.inward).dot(&(q - p));
            worst_slope = worst_slope.max(slope.abs() / h);
            arc += h;
        }
    }
    println!("steps beyond the slope: {worst_step:.5} mm, slope error {worst_slope:.3}");
    assert!(worst_step < 0.002);
    assert!(worst_slope < 0.5);
}

#[test]
fn far_outside_points_to_the_lumen() {
    let (lumen, tree) = narrowing();
    let wall = MeshWall::new(&lumen, &tree);
    for p in [
        Vec3::new(500.0, 0.0, 0.0),
        Vec3::new(-4.0, 80.0, 60.0),
        Vec3::new(0.0, 0.0, -1e7),
        Vec3::new(11.0, 3.0, 20.0),
    ] {
        let hit = wall.at(&p);
        let exact = wall.exact_at(&p);
        assert!(hit.inside_mm < 0.0 && hit.inward.dot(&exact.inward) > 0.9, "{p:?} {hit:?}");
        assert!(hit.inside_mm.is_finite() && hit.place.is_some());
    }
    assert!(wall.at(&Vec3::new(f64::NAN, 0.0, 0.0)).inside_mm < 0.0);
    assert!(wall.at(&Vec3::new(f64::INFINITY, 0.0, 0.0)).inside_mm < 0.0);
    let nothing = MeshWall::new(&cathnav::anatomy::LumenMesh::default(), &VesselTree::default());
    assert!(nothing.at(&Vec3::zeros()).place.is_none());
}

#[test]
fn answers_do_not_depend_on_order_or_threads() {
    let (lumen, tree) = narrowing();
    let mut rng = stream(3, Stream::World);
    let points: Vec<Vec3> = (0..3_000).map(|_| random_near(&tree, &mut rng, 1.0)).collect();
    let forward = MeshWall::new(&lumen, &tree);
    let one: Vec<_> = points.iter().map(|p| forward.at(p)).collect();
    let backward = MeshWall::new(&lumen, &tree);
    let mut two: Vec<_> = points.iter().rev().map(|p| backward.at(p)).collect();
    two.reverse();
    assert_eq!(one, two);
    let shared = MeshWall::new(&lumen, &tree);
    std::thread::scope(|scope| {
        let runs: Vec<_> = (0..4)
            .map(|k| {
                let (shared, points, one) = (&shared, &points, &one);
                scope.spawn(move || {
                    for i in 0..points.len() {
                        let i = (i * 7 + k * 500) % points.len();
                        assert_eq!(shared.at(&points[i]), one[i]);
                    }
                })
            })
            .collect();
        for run in runs {
            run.join().unwrap();
        }
    });
}

/// Prints times; bounds nothing, since machines differ.
#[test]
fn query_time_is_printed() {
    let (lumen, tree) = narrowing();
    let wall = MeshWall::new(&lumen, &tree);
    let mut rng = stream(4, Stream::World);
    let points: Vec<Vec3> = (0..1_000).map(|_| random_near(&tree, &mut rng, 0.5)).collect();
    let time = |f: &dyn Fn(&Vec3) -> f64| {
        #[expect(clippy::disallowed_methods, reason = "times are printed, never tested")]
        let start = Instant::now();
        let sum: f64 = points.iter().map(f).sum();
        black_box(sum);
        start.elapsed().as_secs_f64() * 1e9 / points.len() as f64
    };
    let cold = time(&|p| wall.at(p).inside_mm);
    let warm = (0..20).map(|_| time(&|p| wall.at(p).inside_mm)).fold(f64::INFINITY, f64::min);
    let exact = (0..5).map(|_| time(&|p| wall.exact_at(p).inside_mm)).fold(f64::INFINITY, f64::min);
    println!("wall query: first touch {cold:.0} ns, warm {warm:.0} ns, exact {exact:.0} ns");
    assert!(warm < cold);
}
