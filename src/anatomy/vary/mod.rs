//! How people differ: distributions of diameters, lengths, angles and tortuosity, and variants with their shares. A seed
//! draws them; a case fixes, bounds or frees each.

mod apply;
mod draw;
mod measure;

pub use draw::Choices;
use draw::{draw, nominal};
pub use measure::measured;

use serde::{Deserialize, Serialize};

use super::description::{BranchDescription, Description, OriginDescription};
use super::lesion::LesionDescription;
use super::{AnatomyError, build_tree};

/// Distributions and variants of a region.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Variation {
    /// Variants, drawn first.
    pub variants: Vec<Variant>,
    /// Numbers, drawn in this order.
    pub parameters: Vec<Parameter>,
}

impl Variation {
    /// Does nobody differ.
    pub fn is_empty(&self) -> bool {
        self.variants.is_empty() && self.parameters.is_empty()
    }

    /// Keeps what speaks only of branches that are there.
    pub(super) fn retain(&mut self, is_there: &dyn Fn(&String) -> bool) {
        self.parameters.retain(|p| match &p.of {
            Quantity::Diameter(names) | Quantity::Tortuosity(names) => names.iter().all(is_there),
            Quantity::Length(name) | Quantity::TakeOff(name) => is_there(name),
            Quantity::Calibre => true,
        });
        self.variants.retain(|v| {
            v.options.iter().flat_map(|o| &o.changes).all(|c| match c {
                Change::Replace(b) => is_there(&b.name),
                Change::Add(b) => b.origin.as_ref().is_none_or(|o| is_there(&o.vessel)),
                Change::Remove(name) => is_there(name),
                Change::Origin { branch, from } => is_there(branch) && is_there(&from.vessel),
                Change::Scale { branches, .. } | Change::Grow { branches, .. } => {
                    branches.iter().all(is_there)
                }
                Change::Anastomosis { from, to, .. } => is_there(from) && is_there(to),
            })
        });
    }
}

/// A number that differs: normal with mean and standard deviation, cut off at its bounds.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Parameter {
    /// Name: `renal.left.diameter`.
    pub name: String,
    /// What it is a measure of.
    pub of: Quantity,
    /// Mean.
    pub mean: f64,
    /// Standard deviation.
    pub sd: f64,
    /// Least value.
    pub low: f64,
    /// Largest value.
    pub high: f64,
    /// Where the figures come from, `[K]` and `[D]` marks included.
    pub source: String,
}

/// What a parameter measures.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Quantity {
    /// Diameter of the first branch at its origin, mm; the others named change in proportion.
    Diameter(Vec<String>),
    /// Length of a branch, mm; what leaves it moves along.
    Length(String),
    /// Angle between a branch and its parent's distal direction, degrees; its far end stays.
    TakeOff(String),
    /// Way over straight distance of each of the branches; their ends stay.
    Tortuosity(Vec<String>),
    /// Factor on all diameters.
    Calibre,
}

/// Ways in which a vessel may run, with how often each is found.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Variant {
    /// Name: `hepatic`.
    pub name: String,
    /// Where the shares come from.
    pub source: String,
    /// The options; the first is the one described.
    pub options: Vec<VariantOption>,
}

/// One way.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct VariantOption {
    /// Name: `III`.
    pub name: String,
    /// What it is, in words.
    pub label: String,
    /// Share of people, percent.
    pub share_pct: f64,
    /// What is other than described.
    #[serde(default)]
    pub changes: Vec<Change>,
}

/// A change of a description.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Change {
    /// A branch of the same name takes the place of the one described.
    Replace(BranchDescription),
    /// One more branch.
    Add(BranchDescription),
    /// A branch is missing, with all that leave it.
    Remove(String),
    /// A branch leaves elsewhere; the rest of its way stays.
    Origin {
        /// The branch.
        branch: String,
        /// Where it leaves.
        from: OriginDescription,
    },
    /// Diameters of branches times a factor.
    Scale {
        /// The branches.
        branches: Vec<String>,
        /// The factor.
        factor: f64,
    },
    /// Flows of beds times a factor, and the radius of their blush times the cube root of another: an organ that has grown.
    Grow {
        /// Terminal branches that feed it.
        branches: Vec<String>,
        /// Of the flow.
        flow: f64,
        /// Of the volume.
        volume: f64,
    },
    /// An anastomosis that is described has another number of parallel vessels.
    Anastomosis {
        /// Terminal branch.
        from: String,
        /// The other one.
        to: String,
        /// Number of vessels, 1 to 1000.
        count: u32,
    },
}

/// What a case says about how its patient differs.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct PatientChoice {
    /// Draws all that is not fixed; without a seed everything is as described but for what is set below.
    pub seed: Option<u64>,
    /// Fixed, bounded and freed parameters and variants.
    pub set: Vec<Setting>,
    /// What is wrong with the vessels, beside what the description says.
    pub lesions: Vec<LesionDescription>,
}

impl PatientChoice {
    /// Is it the anatomy as described.
    pub fn is_plain(&self) -> bool {
        self.seed.is_none() && self.set.is_empty() && self.lesions.is_empty()
    }
}

/// What a case says of one parameter or variant.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Setting {
    /// This value.
    Fix {
        /// Parameter.
        name: String,
        /// Value, within the parameter's bounds.
        value: f64,
    },
    /// Drawn between these.
    Bound {
        /// Parameter.
        name: String,
        /// Least.
        low: f64,
        /// Largest.
        high: f64,
    },
    /// Drawn, also without a seed for the rest.
    Free {
        /// Parameter or variant.
        name: String,
    },
    /// This option of a variant.
    Choose {
        /// Variant.
        name: String,
        /// Option.
        option: String,
    },
}

/// Draws that a seed may take until the vessels keep clear of each other.
const ATTEMPTS: u32 = 24;

/// The description of a patient: drawn, and drawn again from the same stream while vessels would touch.
///
/// Same description, choice and version give the same result to the last bit.
pub fn vary(
    description: &Description,
    choice: &PatientChoice,
) -> Result<(Description, Choices), AnatomyError> {
    check(description)?;
    let with_lesions = |mut d: Description| {
        d.lesions.extend(choice.lesions.iter().cloned());
        d
    };
    if choice.seed.is_none() && choice.set.is_empty() {
        return Ok((with_lesions(description.clone()), nominal(description)));
    }
    let mut last = None;
    for attempt in 0..ATTEMPTS {
        let choices = draw(&description.variation, choice, attempt)?;
        let drawn = apply::apply(description, &choices)
            .map(with_lesions)
            .and_then(|d| build_tree(&d).and_then(|(tree, _)| super::build::gaps(&d, &tree)).map(|()| d));
        match drawn {
            Ok(d) => return Ok((d, choices)),
            Err(e) => last = Some(e),
        }
        if choice.seed.is_none()
            && !choice.set.iter().any(|s| !matches!(s, Setting::Fix { .. } | Setting::Choose { .. }))
        {
            break;
        }
    }
    Err(last.unwrap_or_else(|| bad("variation", "seed", "no draw", "a draw")))
}

/// Refuses distributions that cannot be drawn from and names that are not described.
fn check(description: &Description) -> Result<(), AnatomyError> {
    let v = &description.variation;
    for p in &v.parameters {
        let is_range =
            p.low < p.high && p.low <= p.mean && p.mean <= p.high && p.sd > 0.0 && p.sd.is_finite();
        if !is_range {
            let found = format!("mean {}, sd {}, {} to {}", p.mean, p.sd, p.low, p.high);
            return Err(bad(
                &p.name,
                "variation.parameters",
                found,
                "low < high, the mean between, sd over 0",
            ));
        }
        let one: Vec<&String> = match &p.of {
            Quantity::Diameter(b) | Quantity::Tortuosity(b) => b.iter().collect(),
            Quantity::Length(b) | Quantity::TakeOff(b) => vec![b],
            Quantity::Calibre => Vec::new(),
        };
        if let Some(name) = one.iter().find(|n| !description.branches.iter().any(|b| b.name == ***n)) {
            return Err(bad(&p.name, "variation.parameters.of", name, "branches of the description"));
        }
    }
    for variant in &v.variants {
        let sum: f64 = variant.options.iter().map(|o| o.share_pct).sum();
        if variant.options.is_empty()
            || (sum - 100.0).abs() > 0.5
            || variant.options.iter().any(|o| o.share_pct < 0.0)
        {
            return Err(bad(
                &variant.name,
                "variation.variants.options",
                format!("{sum} %"),
                "shares that sum to 100 %",
            ));
        }
    }
    Ok(())
}

fn bad(item: &str, field: &'static str, found: impl ToString, allowed: impl ToString) -> AnatomyError {
    AnatomyError::Value {
        item: item.to_owned(),
        field,
        found: found.to_string(),
        allowed: allowed.to_string(),
    }
}
