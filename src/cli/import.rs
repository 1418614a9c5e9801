//! `cathnav import`: a mesh becomes an anatomy folder.

use std::path::PathBuf;

use clap::ValueEnum;

use super::CliError;
use crate::anatomy::{self, Anatomy, ImportRequest, ImportSummary, LengthUnit};
use crate::scenario::Patient;
use crate::sim::flow::{FlowState, Network};

/// Arguments.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "A case uses an anatomy folder below assets/anatomy by its name: `anatomy: (model: \"NAME\")`.\n\
                  Vessels are named after the centerline files; `cathnav anatomy show DIR` lists them."
)]
pub struct Args {
    /// Surface of the lumen (STL, OBJ or PLY)
    pub mesh: PathBuf,
    /// Centerlines (3D Slicer markups, `.mrk.json`), one file per vessel
    #[arg(long, num_args = 1..)]
    pub centerlines: Vec<PathBuf>,
    /// Unit of the mesh, and of centerlines that name none
    #[arg(long, value_enum, default_value_t = Unit::Mm)]
    pub unit: Unit,
    /// Which axes of the files are the patient's left, posterior and superior, as in `+y,-z,-x`
    #[arg(long, default_value = "x,y,z", allow_hyphen_values = true)]
    pub axes: String,
    /// Centerline with the inflow at its free end [default: the widest free end]
    #[arg(long)]
    pub root: Option<String>,
    /// Access site and the centerline at whose free end it lies, `femoral.left=4`; may be repeated [default: all free ends of
    /// at least 2 mm radius]
    #[arg(long, value_name = "NAME=CENTERLINE", value_parser = access)]
    pub access: Vec<(String, String)>,
    /// English title [default: the name of the folder]
    #[arg(long)]
    pub title: Option<String>,
    /// Anatomy folder to make
    #[arg(long)]
    pub out: PathBuf,
}

/// Units of length.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Unit {
    /// Millimeters
    Mm,
    /// Centimeters
    Cm,
    /// Meters
    M,
}

fn access(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((name, curve)) if !name.is_empty() && !curve.is_empty() => {
            Ok((name.to_owned(), curve.to_owned()))
        }
        _ => Err("allowed: NAME=CENTERLINE, as in femoral.left=4".to_owned()),
    }
}

/// Runs the subcommand: says what was made.
pub fn run(args: &Args) -> Result<(), CliError> {
    let request = ImportRequest {
        mesh: args.mesh.clone(),
        centerlines: args.centerlines.clone(),
        title: args.title.clone(),
        unit: match args.unit {
            Unit::Mm => LengthUnit::Mm,
            Unit::Cm => LengthUnit::Cm,
            Unit::M => LengthUnit::M,
        },
        axes: args.axes.clone(),
        root: args.root.clone(),
        access: args.access.clone(),
    };
    let made = anatomy::import_folder(&request, &args.out).map_err(|e| CliError::bad_input(e.to_string()))?;
    let ImportSummary { branches, length_mm, triangles, volume_ml, access_sites } = ImportSummary::of(&made);
    super::say(&format!(
        "wrote {}: {branches} branches of {length_mm:.0} mm together, lumen of {volume_ml:.1} mL and {triangles} triangles; \
         access: {}",
        args.out.display(),
        access_sites.join(", ")
    ))?;
    for line in short_outlets(&made) {
        super::say(&line)?;
    }
    Ok(())
}

/// Vessels that take less than they should at rest, in words.
fn short_outlets(made: &Anatomy) -> Vec<String> {
    const SHORT: f64 = 0.97;
    let net = Network::compile(&made.tree, &made.circulation, &Patient::default(), &[]);
    let words = |(vessel, share): (anatomy::VesselId, f64)| {
        let branch = made.tree.branch(vessel);
        let wanted = branch.outlet.as_ref().map_or(0.0, |o| 60.0 * o.flow_ml_per_s);
        format!(
            "note: {} takes {:.0} % of the {wanted:.0} mL/min stated for it; the lumen on the way there is too narrow for more",
            branch.name,
            100.0 * share
        )
    };
    FlowState::new(&net).short_outlets(&net, SHORT).into_iter().map(words).collect()
}
