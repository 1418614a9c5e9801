//! Keys: what each does, the table that can be rebound, and what a set of pressed keys means.

mod action;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::path::Path;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use action::DEFAULTS;
pub use action::KeyAction;

use super::out::{Form, Held};
use super::view::Hands;
use crate::sim::command::Pedal;

/// A key, perhaps with Alt; the name is that of the physical key (`KeyW`, `Space`, `ArrowLeft`).
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Chord {
    /// Alt is held with it.
    pub alt: bool,
    /// Name of the key.
    pub key: String,
}

/// A key name that is no key.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("\"{0}\" is no key; a key is written like KeyW, Space, ArrowLeft, F2 or Alt+ArrowLeft")]
pub struct BadChord(String);

impl FromStr for Chord {
    type Err = BadChord;

    fn from_str(text: &str) -> Result<Self, BadChord> {
        let (alt, key) = text.strip_prefix("Alt+").map_or((false, text), |k| (true, k));
        let plain = !key.is_empty() && key.chars().all(|c| c.is_ascii_alphanumeric());
        if plain { Ok(Self { alt, key: key.to_owned() }) } else { Err(BadChord(text.to_owned())) }
    }
}

impl TryFrom<String> for Chord {
    type Error = BadChord;

    fn try_from(text: String) -> Result<Self, BadChord> {
        text.parse()
    }
}

impl From<Chord> for String {
    fn from(c: Chord) -> Self {
        if c.alt { format!("Alt+{}", c.key) } else { c.key }
    }
}

impl fmt::Display for Chord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.alt {
            f.write_str("Alt + ")?;
        }
        let short =
            self.key.strip_prefix("Key").or_else(|| self.key.strip_prefix("Digit")).unwrap_or(&self.key);
        f.write_str(match short {
            "ArrowLeft" => "Left",
            "ArrowRight" => "Right",
            "ArrowUp" => "Up",
            "ArrowDown" => "Down",
            "BracketLeft" => "[",
            "BracketRight" => "]",
            "Slash" => "/",
            "Minus" => "-",
            "Equal" => "=",
            "Semicolon" => ";",
            "Comma" => ",",
            "Period" => ".",
            "Escape" => "Esc",
            other => other,
        })
    }
}

/// Which keys do what. Actions that a file leaves out keep their keys.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct KeyTable(pub BTreeMap<KeyAction, Vec<Chord>>);

impl Default for KeyTable {
    fn default() -> Self {
        let mut table = BTreeMap::new();
        for (action, keys) in DEFAULTS {
            let chords = keys.split(' ').filter_map(|k| k.parse().ok()).collect();
            table.insert(*action, chords);
        }
        Self(table)
    }
}

/// What is pressed now.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Pressed {
    /// Physical keys that are down, by name.
    pub down: BTreeSet<String>,
    /// Keys that went down since the last frame.
    pub just: Vec<String>,
}

impl Pressed {
    fn alt(&self) -> bool {
        self.down.contains("AltLeft") || self.down.contains("AltRight")
    }

    fn either(&self, a: &str, b: &str) -> bool {
        self.down.contains(a) || self.down.contains(b)
    }

    /// Factor on speeds: Shift is fine (one fifth), Ctrl is fast (three times).
    pub fn speed_factor(&self) -> f64 {
        if self.either("ShiftLeft", "ShiftRight") {
            0.2
        } else if self.either("ControlLeft", "ControlRight") {
            3.0
        } else {
            1.0
        }
    }
}

impl KeyTable {
    /// Keys of an action, in words.
    pub fn keys_of(&self, action: KeyAction) -> String {
        let chords = self.0.get(&action).map_or(&[][..], Vec::as_slice);
        chords.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
    }

    /// The action that a key which went down calls.
    pub fn action_of(&self, key: &str, alt: bool) -> Option<KeyAction> {
        KeyAction::ALL
            .into_iter()
            .find(|a| self.0.get(a).is_some_and(|c| c.iter().any(|c| c.key == key && c.alt == alt)))
    }

    /// Gives a key to an action and takes it from all others.
    pub fn rebind(&mut self, action: KeyAction, chord: Chord) {
        for chords in self.0.values_mut() {
            chords.retain(|c| *c != chord);
        }
        self.0.insert(action, vec![chord]);
    }

    /// Is a key of the action down.
    pub fn is_down(&self, action: KeyAction, pressed: &Pressed) -> bool {
        let alt = pressed.alt();
        self.0.get(&action).is_some_and(|c| c.iter().any(|c| c.alt == alt && pressed.down.contains(&c.key)))
    }

    /// Actions whose key went down in this frame.
    pub fn called(&self, pressed: &Pressed) -> Vec<KeyAction> {
        let alt = pressed.alt();
        pressed.just.iter().filter_map(|k| self.action_of(k, alt)).collect()
    }

    /// What the keys hold.
    pub fn held(&self, pressed: &Pressed, hands: &Hands, form: &Form, syringe_is_embolic: bool) -> Held {
        let down = |a| self.is_down(a, pressed);
        let axis = |plus, minus| f64::from(i8::from(down(plus)) - i8::from(down(minus)));
        let factor = pressed.speed_factor();
        let mut held = Held::default();
        for (tool, feed, spin) in [
            (
                hands.right,
                axis(KeyAction::RightPush, KeyAction::RightPull),
                axis(KeyAction::RightTwistRight, KeyAction::RightTwistLeft),
            ),
            (
                hands.left,
                axis(KeyAction::LeftPush, KeyAction::LeftPull),
                axis(KeyAction::LeftTwistRight, KeyAction::LeftTwistLeft),
            ),
        ] {
            let Some(tool) = tool else { continue };
            if feed.abs() > 0.0 {
                held.feed_mm_per_s.insert(tool, feed * factor * form.feed_mm_per_s);
            }
            if spin.abs() > 0.0 {
                held.spin_deg_per_s.insert(tool, spin * factor * form.spin_deg_per_s);
            }
        }
        if down(KeyAction::Fluoro) {
            held.pedal = Pedal::Fluoro;
        }
        if down(KeyAction::Acquire) {
            held.pedal = Pedal::Acquire;
        }
        if down(KeyAction::Puff) {
            held.hand_injection_ml_per_s =
                if syringe_is_embolic { form.embolic_ml_per_s } else { form.puff_ml_per_s };
        }
        held.table = [
            axis(KeyAction::TableRight, KeyAction::TableLeft),
            axis(KeyAction::TableUp, KeyAction::TableDown),
        ];
        held.arm =
            [axis(KeyAction::ArmLao, KeyAction::ArmRao), axis(KeyAction::ArmCranial, KeyAction::ArmCaudal)];
        held.lift = axis(KeyAction::TableRaise, KeyAction::TableLower);
        held.tilt = [
            axis(KeyAction::TiltHeadUp, KeyAction::TiltHeadDown),
            axis(KeyAction::CradleLeftUp, KeyAction::CradleRightUp),
        ];
        held.sid = axis(KeyAction::SidLonger, KeyAction::SidShorter);
        held
    }

    /// Reads a table of keys (RON: `{Fluoro: ["Space"]}`); what it leaves out keeps its keys.
    pub fn from_ron(text: &str) -> Result<Self, String> {
        let given: Self = ron::from_str(text).map_err(|e| e.to_string())?;
        let mut table = Self::default();
        for (action, chords) in given.0 {
            for chord in &chords {
                for others in table.0.values_mut() {
                    others.retain(|c| c != chord);
                }
            }
            table.0.insert(action, chords);
        }
        Ok(table)
    }

    /// Reads the user's table; no file means the keys as delivered.
    pub fn load(path: &Path) -> Result<Self, String> {
        match std::fs::read_to_string(path) {
            Ok(text) => Self::from_ron(&text).map_err(|e| format!("{}: {e}", path.display())),
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => Ok(Self::default()),
            Err(e) => Err(format!("{}: {e}", path.display())),
        }
    }

    /// The table as RON.
    pub fn to_ron(&self) -> Result<String, String> {
        ron::ser::to_string_pretty(self, ron::ser::PrettyConfig::default()).map_err(|e| e.to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sim::ToolId;

    fn pressed(keys: &[&str]) -> Pressed {
        Pressed { down: keys.iter().map(|k| (*k).to_owned()).collect(), just: Vec::new() }
    }

    #[test]
    fn every_action_has_a_key_and_no_key_has_two_actions() {
        let table = KeyTable::default();
        let mut seen = BTreeSet::new();
        for action in KeyAction::ALL {
            let chords = &table.0[&action];
            assert!(!chords.is_empty(), "{action:?}");
            for chord in chords {
                assert!(seen.insert(chord.clone()), "{chord} twice");
            }
        }
        assert_eq!(KeyAction::ALL.len(), DEFAULTS.len());
    }

    #[test]
    fn keys_hold_absolute_speeds_of_the_hands_tools() {
        let hands = Hands { right: Some(ToolId(3)), left: Some(ToolId(1)) };
        let table = KeyTable::default();
        let form = Form::default();
        let held = table.held(&pressed(&["KeyW", "KeyJ", "ShiftLeft", "Space"]), &hands, &form, false);
        assert_eq!(held.feed_mm_per_s[&ToolId(3)], 4.0);
        assert_eq!(held.spin_deg_per_s[&ToolId(1)], -18.0);
        assert_eq!(held.pedal, Pedal::Fluoro);
        let nothing = table.held(&pressed(&["KeyW", "KeyS"]), &hands, &form, false);
        assert_eq!(nothing, Held::default(), "both directions at once hold still");
    }

    #[test]
    fn alt_and_an_arrow_move_the_arm_and_not_the_table() {
        let table = KeyTable::default();
        let held =
            table.held(&pressed(&["AltLeft", "ArrowLeft"]), &Hands::default(), &Form::default(), false);
        assert_eq!((held.arm, held.table), ([-1.0, 0.0], [0.0, 0.0]));
    }

    #[test]
    fn a_table_survives_writing_and_reading_and_errors_name_the_key() {
        let mut table = KeyTable::default();
        table.rebind(KeyAction::Fluoro, "KeyV".parse().unwrap());
        assert!(table.0[&KeyAction::Acquire].is_empty(), "the key is taken from the other action");
        assert_eq!(KeyTable::from_ron(&table.to_ron().unwrap()).unwrap(), table);
        let part = KeyTable::from_ron(r#"{Fluoro: ["F5"]}"#).unwrap();
        assert_eq!(part.keys_of(KeyAction::Fluoro), "F5");
        assert_eq!(part.keys_of(KeyAction::Acquire), "V");
        let error = KeyTable::from_ron(r#"{Fluoro: ["W+"]}"#).unwrap_err();
        assert!(error.contains("W+"), "{error}");
    }
}
