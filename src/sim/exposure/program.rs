//! Acquisition programs: what a suite offers by name instead of kind and rate, with phases for late filling.

use crate::sim::command::AcquisitionKind;

/// A program: kind and phases.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct AcquisitionProgram {
    /// Name on the button.
    pub name: &'static str,
    /// Subtracted or not.
    pub kind: AcquisitionKind,
    /// Frame rate, 1/s, and how long, s; the last one goes on until the pedal is released.
    pub phases: &'static [(f64, f64)],
}

/// The programs `[K]`: rates that are usual for the region.
pub const PROGRAMS: [AcquisitionProgram; 7] = [
    AcquisitionProgram { name: "Abdomen", kind: AcquisitionKind::Dsa, phases: &[(3.0, 6.0), (1.0, 30.0)] },
    AcquisitionProgram { name: "Pelvis", kind: AcquisitionKind::Dsa, phases: &[(3.0, 8.0), (1.0, 20.0)] },
    AcquisitionProgram { name: "Cerebral", kind: AcquisitionKind::Dsa, phases: &[(4.0, 5.0), (2.0, 10.0)] },
    AcquisitionProgram {
        name: "Peripheral",
        kind: AcquisitionKind::Dsa,
        phases: &[(2.0, 10.0), (1.0, 30.0)],
    },
    AcquisitionProgram { name: "Carbon dioxide", kind: AcquisitionKind::Dsa, phases: &[(6.0, 15.0)] },
    AcquisitionProgram { name: "Coronary", kind: AcquisitionKind::Cine, phases: &[(15.0, 20.0)] },
    AcquisitionProgram { name: "Cardiac fast", kind: AcquisitionKind::Cine, phases: &[(30.0, 10.0)] },
];

impl AcquisitionProgram {
    /// Frame rate at a time after the start of the run, 1/s.
    pub fn rate_per_s(&self, time_s: f64) -> f64 {
        let mut end_s = 0.0;
        let mut rate = 3.0;
        for (phase_rate, duration_s) in self.phases {
            rate = *phase_rate;
            end_s += duration_s;
            if time_s < end_s {
                break;
            }
        }
        rate
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn phases_follow_each_other_and_the_last_goes_on() {
        let abdomen = &PROGRAMS[0];
        assert_eq!([0.0, 5.99, 6.0, 500.0].map(|t| abdomen.rate_per_s(t)), [3.0, 3.0, 1.0, 1.0]);
    }
}
