//! From seed and settings to values.

use super::{Description, PatientChoice, Setting, Variation, bad};
use crate::anatomy::AnatomyError;
use crate::math::rng::{ChaCha8Rng, Stream, normal, stream, uniform};

/// What was drawn: options by index, values by parameter; `None` leaves what is described.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Choices {
    /// (variant, option).
    pub options: Vec<(String, String)>,
    /// (parameter, value).
    pub values: Vec<(String, Option<f64>)>,
}

/// Everything as described.
pub(super) fn nominal(description: &Description) -> Choices {
    let v = &description.variation;
    Choices {
        options: v
            .variants
            .iter()
            .filter_map(|x| x.options.first().map(|o| (x.name.clone(), o.name.clone())))
            .collect(),
        values: v.parameters.iter().map(|p| (p.name.clone(), None)).collect(),
    }
}

/// Draws all variants and parameters in their order and then lets the settings overrule: what is fixed does not shift the
/// draws of the rest. `attempt` counts redraws of one seed.
pub(super) fn draw(
    variation: &Variation,
    choice: &PatientChoice,
    attempt: u32,
) -> Result<Choices, AnatomyError> {
    check_settings(variation, choice)?;
    let mut rng = stream(choice.seed.unwrap_or(0), Stream::Anatomy);
    let mut out = Choices::default();
    let is_free = |name: &str| {
        choice.seed.is_some()
            || choice.set.iter().any(|s| matches!(s, Setting::Free { name: n } if n == name))
    };
    for _ in 0..=attempt {
        out = Choices::default();
        for v in &variation.variants {
            // What every patient has takes no draw: such a variant leaves those of the rest as they were.
            let is_common = v.options.first().is_some_and(|o| o.share_pct >= 100.0);
            let u = if is_common { 0.0 } else { 100.0 * uniform(&mut rng) };
            let mut sum = 0.0;
            let drawn = v.options.iter().find(|o| {
                sum += o.share_pct;
                u < sum
            });
            let drawn = drawn.or(v.options.last()).map_or("", |o| o.name.as_str());
            let chosen = choice.set.iter().find_map(|s| match s {
                Setting::Choose { name, option } if *name == v.name => Some(option.as_str()),
                _ => None,
            });
            let first = v.options.first().map_or("", |o| o.name.as_str());
            let option = chosen.unwrap_or(if is_free(&v.name) { drawn } else { first });
            out.options.push((v.name.clone(), option.to_owned()));
        }
        for p in &variation.parameters {
            let drawn = truncated(&mut rng, p.mean, p.sd, p.low, p.high);
            let mut value = is_free(&p.name).then_some(drawn);
            for s in &choice.set {
                match s {
                    Setting::Fix { name, value: v } if *name == p.name => value = Some(*v),
                    // The same quantile within the narrower bounds.
                    Setting::Bound { name, low, high } if *name == p.name => {
                        let share = (drawn - p.low) / (p.high - p.low);
                        value = Some(if (*low..=*high).contains(&drawn) {
                            drawn
                        } else {
                            low + share * (high - low)
                        });
                    }
                    _ => {}
                }
            }
            out.values.push((p.name.clone(), value));
        }
    }
    Ok(out)
}

/// Normal within bounds: drawn until it fits, at most 64 times, then the nearer bound. Always takes the same number of
/// words from the stream.
fn truncated(rng: &mut ChaCha8Rng, mean: f64, sd: f64, low: f64, high: f64) -> f64 {
    let mut found = None;
    for _ in 0..64 {
        let x = mean + sd * normal(rng);
        if found.is_none() && (low..=high).contains(&x) {
            found = Some(x);
        }
    }
    found.unwrap_or_else(|| mean.clamp(low, high))
}

fn check_settings(variation: &Variation, choice: &PatientChoice) -> Result<(), AnatomyError> {
    let parameter = |name: &str| variation.parameters.iter().find(|p| p.name == name);
    let variant = |name: &str| variation.variants.iter().find(|v| v.name == name);
    let known = || {
        let all = variation.parameters.iter().map(|p| p.name.as_str());
        all.chain(variation.variants.iter().map(|v| v.name.as_str())).collect::<Vec<_>>().join(", ")
    };
    for s in &choice.set {
        match s {
            Setting::Fix { name, value } => {
                let p = parameter(name).ok_or_else(|| bad(name, "set.Fix.name", name, known()))?;
                if !(p.low..=p.high).contains(value) {
                    return Err(bad(name, "set.Fix.value", value, format!("{} to {}", p.low, p.high)));
                }
            }
            Setting::Bound { name, low, high } => {
                let p = parameter(name).ok_or_else(|| bad(name, "set.Bound.name", name, known()))?;
                if !(*low >= p.low && low < high && *high <= p.high) {
                    let found = format!("{low} to {high}");
                    return Err(bad(name, "set.Bound", found, format!("within {} to {}", p.low, p.high)));
                }
            }
            Setting::Free { name } => {
                if parameter(name).is_none() && variant(name).is_none() {
                    return Err(bad(name, "set.Free.name", name, known()));
                }
            }
            Setting::Choose { name, option } => {
                let v = variant(name).ok_or_else(|| bad(name, "set.Choose.name", name, known()))?;
                if !v.options.iter().any(|o| o.name == *option) {
                    let names: Vec<&str> = v.options.iter().map(|o| o.name.as_str()).collect();
                    return Err(bad(name, "set.Choose.option", option, names.join(", ")));
                }
            }
        }
    }
    Ok(())
}
