//! The score: points of steps done + points of par values - points of errors; every term is shown.

use super::assessment::{ErrorRecord, Metric, PointLine, ScoreBreakdown, StepResult, TrapResult};
use crate::scenario::{Case, Grade, Par};

const FORMULA: &str = "score = points of the steps done + par points x (gold 1, silver 2/3, bronze 1/3, else 0) \
    - points per error (slip, mistake, blunder). Par values count once all required steps are done. Passed: the score \
    reaches the pass mark, all required steps are done, no failing trap was sprung and none of the errors that the case does not allow was made.";

/// Adds up the score of a case.
pub(super) fn score(
    case: &Case,
    steps: &[StepResult],
    traps: &[TrapResult],
    errors: &[ErrorRecord],
    metrics: &[Metric],
) -> ScoreBreakdown {
    let is_complete = steps.iter().all(|s| s.optional || s.done_s.is_some());
    let step_lines: Vec<PointLine> = steps.iter().map(step_line).collect();
    let par_lines: Vec<PointLine> =
        case.score.par.iter().map(|p| par_line(p, metrics, is_complete)).collect();
    let error_lines: Vec<PointLine> = errors.iter().map(error_line).collect();
    let sum = |lines: &[PointLine]| lines.iter().map(|l| l.points).sum::<f64>();
    let total = sum(&step_lines) + sum(&par_lines) + sum(&error_lines);
    let maximum =
        steps.iter().map(|s| s.points).sum::<f64>() + case.score.par.iter().map(|p| p.points).sum::<f64>();
    let mut reasons = Vec::new();
    if total < case.score.pass {
        reasons.push(format!("{total:.1} points, {:.1} are needed", case.score.pass));
    }
    for s in steps.iter().filter(|s| !s.optional && s.done_s.is_none()) {
        reasons.push(format!("not done: {}", s.title));
    }
    for (t, of_case) in traps.iter().zip(&case.traps).filter(|(t, _)| t.fails && t.time_s.is_some()) {
        reasons.push(format!("{}: {}", t.id, of_case.say));
    }
    for (i, e) in errors.iter().enumerate().filter(|(_, e)| case.score.fails.contains(&e.name)) {
        if errors[..i].iter().all(|before| before.name != e.name) {
            reasons.push(format!("{}: {}", e.title, e.cause));
        }
    }
    ScoreBreakdown {
        formula: FORMULA.to_owned(),
        steps: step_lines,
        par: par_lines,
        errors: error_lines,
        total,
        maximum,
        pass_mark: case.score.pass,
        passed: reasons.is_empty(),
        reasons,
    }
}

fn step_line(s: &StepResult) -> PointLine {
    let (points, why) = match s.done_s {
        Some(t) => (s.points, format!("done at {t:.1} s")),
        None => (0.0, format!("not done, worth {:.1}", s.points)),
    };
    PointLine { label: s.title.clone(), points, why }
}

fn par_line(par: &Par, metrics: &[Metric], is_complete: bool) -> PointLine {
    let value = metrics.iter().find(|m| m.name == par.metric).and_then(|m| m.value);
    let limits = format!(
        "gold <= {}, silver <= {}, bronze <= {}, worth {}",
        par.gold, par.silver, par.bronze, par.points
    );
    let (points, why) = match value {
        None => (0.0, format!("not measured; {limits}")),
        Some(v) if !is_complete => (0.0, format!("{v:.3}, but the case is not completed; {limits}")),
        Some(v) => {
            let (share, word) = if v <= par.gold {
                (1.0, "gold")
            } else if v <= par.silver {
                (2.0 / 3.0, "silver")
            } else if v <= par.bronze {
                (1.0 / 3.0, "bronze")
            } else {
                (0.0, "above bronze")
            };
            (par.points * share, format!("{v:.3}: {word}; {limits}"))
        }
    };
    PointLine { label: par.metric.clone(), points, why }
}

fn error_line(e: &ErrorRecord) -> PointLine {
    let word = match e.grade {
        Grade::Slip => "slip",
        Grade::Mistake => "mistake",
        Grade::Blunder => "blunder",
    };
    PointLine { label: e.title.clone(), points: -e.points, why: format!("{word} at {:.1} s", e.time_s) }
}
