//! `cathnav anatomy build|list|show`.

mod picture;

use std::path::{Path, PathBuf};
use std::time::Instant;

use clap::{Parser, Subcommand};

use super::CliError;
use crate::anatomy::{
    self, Anatomy, AnatomyError, AnatomyFile, Description, PatientChoice, VesselTree, measured, survey,
};

/// Builds, lists and shows anatomies.
#[derive(Debug, Parser)]
pub struct Args {
    /// What to do.
    #[command(subcommand)]
    pub action: Action,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Action {
    /// Builds tree, lumen and body surfaces from `anatomy.ron` and stores them beside it
    Build {
        /// Names below assets/anatomy, or folders; all that are stored beside their description when none is given
        names: Vec<String>,
    },
    /// Lists the anatomies below assets/anatomy
    List,
    /// Prints the branches of an anatomy, checks its lumen, and with --out makes pictures
    Show {
        /// Name below assets/anatomy, or a folder
        name: String,
        /// Draw a patient who differs, by this seed
        #[arg(long)]
        seed: Option<u64>,
        /// Fill the vessels with contrast in the X-ray pictures
        #[arg(long)]
        contrast: bool,
        /// Folder for a 3-D view and X-ray pictures from the front and the left
        #[arg(long)]
        out: Option<PathBuf>,
        /// Width of the X-ray pictures, pixels
        #[arg(long, default_value_t = 640)]
        pixels: usize,
        /// Draw this many patients without their surfaces and print how they differ
        #[arg(long)]
        statistics: Option<u64>,
    },
}

/// Runs the subcommand; tables go to standard output.
pub fn run(args: &Args) -> Result<(), CliError> {
    match &args.action {
        Action::Build { names } => build(names),
        Action::List => list(),
        Action::Show { name, seed, contrast, out, pixels, statistics } => {
            if !(64..=2048).contains(pixels) {
                return Err(CliError::bad_input(format!("--pixels is {pixels}, allowed are 64 to 2048")));
            }
            let dir = folder(name);
            let patient = PatientChoice { seed: *seed, ..PatientChoice::default() };
            if let Some(count) = statistics {
                return numbers(&dir, *count);
            }
            let start = now();
            let a = anatomy::load_patient(&dir, &patient, &crate::assets::cache()).map_err(bad)?;
            super::say(table(&a).trim_end())?;
            super::say(&format!("ready in {:.1} s", start.elapsed().as_secs_f64()))?;
            super::say(check(&a).trim_end())?;
            if let Some(out) = out {
                std::fs::create_dir_all(out)
                    .map_err(|e| CliError::bad_input(format!("cannot make {}: {e}", out.display())))?;
                for (view, bytes) in picture::pictures(&a, *contrast, *pixels)? {
                    let path = out.join(format!("{}_{view}.png", a.name));
                    super::write_file(&path, &bytes)?;
                    super::say(&format!("wrote {}", path.display()))?;
                }
            }
            Ok(())
        }
    }
}

#[expect(clippy::disallowed_methods, reason = "the user is told how long a build took")]
fn now() -> Instant {
    Instant::now()
}

fn bad(e: AnatomyError) -> CliError {
    CliError::bad_input(e.to_string())
}

fn assets() -> PathBuf {
    crate::assets::root().map_or_else(|| PathBuf::from("assets"), |root| root.join("assets"))
}

/// A folder by its path, or by its name below the assets.
fn folder(name: &str) -> PathBuf {
    let path = Path::new(name);
    if path.is_dir() { path.to_path_buf() } else { assets().join("anatomy").join(name) }
}

fn all() -> Result<Vec<PathBuf>, CliError> {
    let assets = assets();
    Ok(anatomy::list(&assets).map_err(bad)?.iter().map(|n| assets.join("anatomy").join(n)).collect())
}

fn build(names: &[String]) -> Result<(), CliError> {
    let dirs: Vec<PathBuf> = if names.is_empty() {
        all()?.into_iter().filter(|dir| anatomy::is_stored(dir)).collect()
    } else {
        names.iter().map(|n| folder(n)).collect()
    };
    for dir in dirs {
        let start = now();
        let a = anatomy::build_folder(&dir).map_err(bad)?;
        let body: usize = a.body.iter().map(|s| s.mesh.triangles.len()).sum();
        super::say(&format!(
            "{}: {} branches, lumen of {} triangles, {} body surfaces of {body} triangles, {:.1} s",
            dir.display(),
            a.tree.branches.len(),
            a.lumen.mesh.triangles.len(),
            a.body.len(),
            start.elapsed().as_secs_f64()
        ))?;
    }
    Ok(())
}

/// One line per anatomy.
fn list() -> Result<(), CliError> {
    super::say(&format!(
        "{:<12} {:>8} {:>6} {:>8} {:>8} {:>7}  {}",
        "name", "branches", "beds", "variants", "numbers", "stored", "title"
    ))?;
    for dir in all()? {
        let file = anatomy::read_file(&dir).map_err(bad)?;
        let (tree, _) = anatomy::load_tree(&dir).map_err(bad)?;
        let beds = tree.branches.iter().filter(|b| b.outlet.is_some()).count();
        let (variants, parameters) = match &file {
            AnatomyFile::Described(d) => (d.variation.variants.len(), d.variation.parameters.len()),
            AnatomyFile::Imported(_) => (0, 0),
        };
        let stored = if anatomy::is_stored(&dir) { "yes" } else { "on use" };
        super::say(&format!(
            "{:<12} {:>8} {beds:>6} {variants:>8} {parameters:>8} {stored:>7}  {}",
            file.name(),
            tree.branches.len(),
            file.title()
        ))?;
    }
    Ok(())
}

/// One line per branch.
fn table(a: &Anatomy) -> String {
    let mut text = format!(
        "{}: {}\n{:<34} {:<46} {:>8} {:>15} {:>9} {:>11}\n",
        a.name, a.title, "name", "label", "length", "diameter", "take-off", "flow"
    );
    for b in &a.tree.branches {
        let ends = [b.points.first(), b.points.last()].map(|p| p.map_or(0.0, |p| 2.0 * p.radius_mm));
        let take_off = a.tree.take_off_deg(b).map_or_else(|| "root".to_owned(), |d| format!("{d:.0} deg"));
        let flow =
            b.outlet.as_ref().map_or_else(String::new, |o| format!("{:.1} mL/min", o.flow_ml_per_s * 60.0));
        text += &format!(
            "{:<34} {:<46} {:>5.1} mm {:>5.2} > {:>4.2} mm {:>9} {:>11}\n",
            b.name,
            b.label,
            b.length_mm(),
            ends[0],
            ends[1],
            take_off,
            flow
        );
    }
    text
}

/// What the check of the lumen found.
fn check(a: &Anatomy) -> String {
    let s = survey(a);
    format!(
        "lumen: {} triangles, {} bodies, {} open edges, Euler number {} of {}, {} crossings{}, {:.1} mL\n\
         diameters: {} places, worst {:.1} %: {}\n{}\n",
        a.lumen.mesh.triangles.len(),
        s.topology.bodies,
        s.topology.open_edges,
        s.topology.euler,
        s.wanted.euler,
        s.crossings,
        s.first_crossing_mm.map_or_else(String::new, |p| format!(" (at {:.1}, {:.1}, {:.1})", p.x, p.y, p.z)),
        s.volume_mm3 / 1000.0,
        s.places,
        s.worst_diameter_pct,
        s.worst_place,
        if s.is_sound() { "sound" } else { "NOT sound" }
    )
}

/// Shares, means and standard deviations over drawn patients.
fn numbers(dir: &Path, count: u64) -> Result<(), CliError> {
    let AnatomyFile::Described(d) = anatomy::read_file(dir).map_err(bad)? else {
        return Err(CliError::bad_input(format!("{}: an imported anatomy does not vary", dir.display())));
    };
    let (described, _) = anatomy::build_tree(&d).map_err(bad)?;
    let drawn: Vec<_> = (0..count)
        .map(|seed| {
            let patient = PatientChoice { seed: Some(seed), ..PatientChoice::default() };
            let (v, choices) = anatomy::vary(&d, &patient).map_err(bad)?;
            Ok((anatomy::build_tree(&v).map_err(bad)?.0, choices))
        })
        .collect::<Result<_, CliError>>()?;
    for line in statistics(&d, &described, &drawn) {
        super::say(&line)?;
    }
    Ok(())
}

fn statistics(
    d: &Description,
    described: &VesselTree,
    drawn: &[(VesselTree, anatomy::Choices)],
) -> Vec<String> {
    let mut out = vec![format!("{} patients of {}", drawn.len(), d.name)];
    for v in &d.variation.variants {
        for o in &v.options {
            let chosen = |c: &anatomy::Choices| c.options.iter().any(|x| x.0 == v.name && x.1 == o.name);
            let share = drawn.iter().filter(|(_, c)| chosen(c)).count() as f64 / drawn.len() as f64;
            out.push(format!(
                "{:<34} {:<10} {:5.1} % of {:5.1} %  {}",
                v.name,
                o.name,
                100.0 * share,
                o.share_pct,
                o.label
            ));
        }
    }
    for p in &d.variation.parameters {
        let x: Vec<f64> = drawn.iter().filter_map(|(t, _)| measured(p, t, described)).collect();
        let mean = x.iter().sum::<f64>() / x.len() as f64;
        let sd = (x.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / x.len() as f64).sqrt();
        let (low, high) = x.iter().fold((f64::MAX, f64::MIN), |(l, h), x| (l.min(*x), h.max(*x)));
        out.push(format!(
            "{:<34} {mean:8.2} +- {sd:5.2}, {low:.2} to {high:.2}; source {:.2} +- {:.2} {}",
            p.name, p.mean, p.sd, p.source
        ));
    }
    out
}
