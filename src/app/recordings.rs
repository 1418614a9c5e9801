//! Finished runs in the user's folder: what they were, when, and how they went.

use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use super::convert;
use super::view::{ErrorView, RecordingCard};
use crate::training::Assessment;

/// The recordings below a folder of runs, the newest first.
pub(super) fn list(runs: &Path) -> Vec<RecordingCard> {
    let Ok(entries) = std::fs::read_dir(runs) else { return Vec::new() };
    let mut found: Vec<(SystemTime, RecordingCard)> =
        entries.filter_map(|e| card(&e.ok()?.path().join("recording.cnr"))).collect();
    found.sort_by(|(a, x), (b, y)| b.cmp(a).then_with(|| y.path.cmp(&x.path)));
    found.into_iter().map(|(_, card)| card).collect()
}

fn card(path: &Path) -> Option<(SystemTime, RecordingCard)> {
    let made = std::fs::metadata(path).ok()?.modified().ok()?;
    let folder = path.parent()?.file_name()?.to_string_lossy().into_owned();
    let report = report(path);
    let card = RecordingCard {
        title: report.as_ref().map_or_else(|| folder.clone(), |r| r.title.clone()),
        run: folder,
        date: date(made),
        seconds: report.as_ref().map(|r| r.time_s),
        score: report.as_ref().map(|r| (r.score.total, r.score.maximum)),
        passed: report.as_ref().is_some_and(|r| r.score.passed),
        errors: report.as_ref().map_or(0, |r| r.errors.len()),
        path: path.to_path_buf(),
    };
    Some((made, card))
}

/// The report that was written beside a recording.
fn report(recording: &Path) -> Option<Assessment> {
    let text = std::fs::read_to_string(recording.with_file_name("report.json")).ok()?;
    let whole: serde_json::Value = serde_json::from_str(&text).ok()?;
    serde_json::from_value(whole.get("assessment")?.clone()).ok()
}

/// Errors of the report beside a recording, in order of time.
pub(super) fn errors(recording: &Path) -> Vec<ErrorView> {
    let mut errors: Vec<ErrorView> =
        report(recording).map_or_else(Vec::new, |r| r.errors.iter().map(convert::error_view).collect());
    errors.sort_by(|a, b| a.time_s.total_cmp(&b.time_s));
    errors
}

/// The recording among the files that a run has written.
pub(super) fn recording_of(files: &[String]) -> Option<PathBuf> {
    files.iter().map(PathBuf::from).find(|f| f.extension().is_some_and(|e| e == "cnr"))
}

/// Day and time, UTC, as 2026-11-24 07:38: days since 1970 to the civil calendar (Hinnant 2013, `civil_from_days`).
fn date(time: SystemTime) -> String {
    let seconds = time.duration_since(UNIX_EPOCH).map_or(0, |d| d.as_secs());
    let z = seconds / 86_400 + 719_468;
    let (era, day_of_era) = (z / 146_097, z % 146_097);
    let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * shifted + 2) / 5 + 1;
    let month = if shifted < 10 { shifted + 3 } else { shifted - 9 };
    let year = year_of_era + era * 400 + u64::from(month <= 2);
    let minutes = seconds / 60 % 1440;
    format!("{year}-{month:02}-{day:02} {:02}:{:02} UTC", minutes / 60, minutes % 60)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn dates_of_the_calendar() {
        for (seconds, words) in [
            (0, "1970-01-01 00:00 UTC"),
            (951_782_400, "2000-02-29 00:00 UTC"),
            (1_709_251_199, "2024-02-29 23:59 UTC"),
            (1_795_000_000, "2026-11-18 11:06 UTC"),
        ] {
            assert_eq!(date(UNIX_EPOCH + Duration::from_secs(seconds)), words);
        }
    }

    #[test]
    fn runs_are_listed_also_without_a_report() {
        let folder = tempfile::tempdir().unwrap();
        for name in ["a-001", "b-002"] {
            std::fs::create_dir_all(folder.path().join(name)).unwrap();
            std::fs::write(folder.path().join(name).join("recording.cnr"), b"CNR1\n").unwrap();
        }
        std::fs::create_dir_all(folder.path().join("empty")).unwrap();
        let cards = list(folder.path());
        assert_eq!(cards.len(), 2);
        assert!(
            cards.iter().all(|c| c.score.is_none() && c.title == c.run && c.date.ends_with("UTC")),
            "{cards:?}"
        );
        assert!(list(&folder.path().join("none")).is_empty());
    }
}
