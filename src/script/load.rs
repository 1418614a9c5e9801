//! Reading a script: text to steps, faults with line and column.

use super::types::{Script, Step, Until};
use crate::anatomy::VesselTree;
use crate::scenario::Case;

/// What is wrong with a script.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum ScriptError {
    /// The text is not a script.
    #[error("{name}:{line}:{column}: {message}\n  {line} | {source_line}")]
    Syntax {
        /// File name.
        name: String,
        /// Line, from 1.
        line: usize,
        /// Column, from 1.
        column: usize,
        /// What was found and expected.
        message: String,
        /// The line itself.
        source_line: String,
    },
    /// Names that the case or its anatomy does not have; all of them.
    #[error("the script does not fit the case: {}", .0.join("; "))]
    Names(Vec<String>),
}

/// Parses a script; `name` is used in messages.
pub fn parse(text: &str, name: &str) -> Result<Script, ScriptError> {
    let options = ron::Options::default().with_default_extension(ron::extensions::Extensions::IMPLICIT_SOME);
    let script: Script = options.from_str(text).map_err(|e| {
        let at = e.span.start;
        let source_line = text.lines().nth(at.line.saturating_sub(1)).unwrap_or("").trim_end().to_owned();
        ScriptError::Syntax {
            name: name.to_owned(),
            line: at.line,
            column: at.col,
            message: e.code.to_string(),
            source_line,
        }
    })?;
    if script.format == 1 {
        return Ok(script);
    }
    let (line, column) = position_of(text, "format");
    Err(ScriptError::Syntax {
        name: name.to_owned(),
        line,
        column,
        message: format!("format {} is not known, this program reads 1", script.format),
        source_line: text.lines().nth(line - 1).unwrap_or("").trim_end().to_owned(),
    })
}

fn position_of(text: &str, word: &str) -> (usize, usize) {
    let found = text.lines().enumerate().find_map(|(i, l)| l.find(word).map(|c| (i + 1, c + 1)));
    found.unwrap_or((1, 1))
}

/// Checks every device, embolic and vessel of a script against a case and its tree; all faults at once.
pub fn check_names(script: &Script, tree: &VesselTree, case: &Case) -> Result<(), ScriptError> {
    let mut faults = Vec::new();
    for (i, step) in script.steps.iter().enumerate() {
        let (tools, vessels) = names(step);
        for t in tools.into_iter().filter(|t| !case.tray.iter().any(|id| id == t)) {
            let near = nearest(t, case.tray.iter().map(String::as_str));
            faults.push(format!("step {}: `{t}` is not on the tray{near}", i + 1));
        }
        for v in vessels.into_iter().filter(|v| tree.find(v).is_none()) {
            let near = nearest(v, tree.branches.iter().map(|b| b.name.as_str()));
            faults.push(format!("step {}: there is no vessel `{v}`{near}", i + 1));
        }
    }
    if faults.is_empty() { Ok(()) } else { Err(ScriptError::Names(faults)) }
}

fn nearest<'a>(word: &str, names: impl Iterator<Item = &'a str>) -> String {
    let best = names.map(|n| (strsim::damerau_levenshtein(word, n), n)).min();
    best.map_or_else(String::new, |(_, n)| format!(", did you mean `{n}`?"))
}

/// Devices (and embolics), vessels that a step names.
fn names(step: &Step) -> (Vec<&str>, Vec<&str>) {
    let (mut tools, mut vessels) = (Vec::new(), Vec::new());
    match step {
        Step::Load(tool)
        | Step::LoadAt { tool, .. }
        | Step::CenterOnTip(tool)
        | Step::Flush(tool)
        | Step::Aspirate { through: tool, .. }
        | Step::TakeOff { tool, .. }
        | Step::Rotate { tool, .. }
        | Step::Point { tool, .. }
        | Step::Hold { tool, .. }
        | Step::Run { through: tool, .. }
        | Step::Pledget { through: tool, .. }
        | Step::Inflate { tool, .. }
        | Step::Deflate { tool, .. }
        | Step::Unsheathe { tool, .. }
        | Step::Puff { through: tool, .. } => tools.push(tool.as_str()),
        Step::Advance { tool, until, .. } | Step::Withdraw { tool, until, .. } => {
            tools.push(tool.as_str());
            until_names(until, &mut tools, &mut vessels);
        }
        Step::DeployCoil { tool, through, .. } => tools.extend([tool.as_str(), through.as_str()]),
        Step::FollowOverWire { tool, wire, .. } => tools.extend([tool.as_str(), wire.as_str()]),
        Step::Select { tool, into, .. }
        | Step::Engage { tool, into, .. }
        | Step::Aim { tool, at: into, .. } => {
            tools.push(tool.as_str());
            vessels.push(into.as_str());
        }
        Step::Steer { tool, support, into, .. } => {
            tools.extend([tool.as_str(), support.as_str()]);
            vessels.push(into.as_str());
        }
        Step::EmbolizeUntil { through, agent, .. } | Step::Embolize { through, agent, .. } => {
            tools.extend([through.as_str(), agent.as_str()]);
        }
        _ => {}
    }
    (tools, vessels)
}

fn until_names<'a>(until: &'a Until, tools: &mut Vec<&'a str>, vessels: &mut Vec<&'a str>) {
    match until {
        Until::Behind { tool, .. } => tools.push(tool),
        Until::Seen { vessel, .. } | Until::Near { vessel, .. } | Until::In { vessel, .. } => {
            vessels.push(vessel);
        }
        Until::Any(list) => list.iter().for_each(|u| until_names(u, tools, vessels)),
        Until::Inserted(_) | Until::By(_) | Until::TipTurned(_) | Until::HubForce(_) => {}
    }
}
