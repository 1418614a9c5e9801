//! Keys: what each does, the table that can be rebound, and what a set of pressed keys means.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::path::Path;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::out::{Form, Held};
use super::texts::{Text, t};
use super::view::Hands;
use crate::sim::command::Pedal;

/// Something that a key does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum KeyAction {
    /// Fluoroscopy while held.
    Fluoro,
    /// Acquisition while held.
    Acquire,
    /// Roadmap on or off.
    Roadmap,
    /// Live picture to the reference monitor.
    SendToReference,
    /// Play or stop the reference monitor.
    ReferencePlay,
    /// Frame before.
    ReferenceBack,
    /// Frame after.
    ReferenceForward,
    /// Right hand.
    RightPush,
    /// Right hand.
    RightPull,
    /// Right hand, counter-clockwise.
    RightTwistLeft,
    /// Right hand, clockwise.
    RightTwistRight,
    /// Left hand.
    LeftPush,
    /// Left hand.
    LeftPull,
    /// Left hand, counter-clockwise.
    LeftTwistLeft,
    /// Left hand, clockwise.
    LeftTwistRight,
    /// Wire in the right hand.
    ToolWire,
    /// Microcatheter in the right hand.
    ToolMicrocatheter,
    /// Catheter in the right hand.
    ToolCatheter,
    /// Hands exchange their tools.
    SwapHands,
    /// How the right hand's tool is held: held, free, clamped.
    HoldNext,
    /// Puff from the syringe while held.
    Puff,
    /// Injector armed or not.
    Arm,
    /// Flush the connected lumen.
    Flush,
    /// Field of view to the patient's right.
    TableLeft,
    /// Field of view to the patient's left.
    TableRight,
    /// Field of view towards the head.
    TableUp,
    /// Field of view towards the feet.
    TableDown,
    /// C-arm.
    ArmRao,
    /// C-arm.
    ArmLao,
    /// C-arm.
    ArmCranial,
    /// C-arm.
    ArmCaudal,
    /// Smaller field.
    FieldSmaller,
    /// Larger field.
    FieldLarger,
    /// Detector away from the patient.
    SidLonger,
    /// Detector to the patient.
    SidShorter,
    /// Hold the breath, or breathe on.
    HoldBreath,
    /// New mask.
    Remask,
    /// Roadmap from the last run or from fluoroscopy.
    RoadmapSourceNext,
    /// Roadmap opacity.
    RoadmapOpacityNext,
    /// Store the last loop of fluoroscopy.
    StoreFluoro,
    /// Review of stored runs.
    Review,
    /// Dose on the skin.
    SkinDose,
    /// Store reference view A.
    StoreReferenceA,
    /// Go to reference view A.
    RecallReferenceA,
    /// Store reference view B.
    StoreReferenceB,
    /// Go to reference view B.
    RecallReferenceB,
    /// First view of the case.
    View1,
    /// Second view of the case.
    View2,
    /// Third view of the case.
    View3,
    /// Fourth view of the case.
    View4,
    /// Blades in.
    BladesIn,
    /// Blades out.
    BladesOut,
    /// Wedge filter: out, a quarter, half.
    WedgeNext,
    /// Dose level of fluoroscopy.
    LevelNext,
    /// Next acquisition program.
    ProgramNext,
    /// Next pulse rate.
    PulseRateNext,
    /// Ceiling screen in or out.
    ScreenToggle,
    /// Hint.
    Hint,
    /// See-through patient.
    Truth,
    /// Key list.
    KeyList,
    /// Pause.
    Pause,
}

impl KeyAction {
    /// All, in the order of the key list.
    pub const ALL: [Self; 61] = [
        Self::Fluoro,
        Self::Acquire,
        Self::Roadmap,
        Self::RightPush,
        Self::RightPull,
        Self::RightTwistLeft,
        Self::RightTwistRight,
        Self::LeftPush,
        Self::LeftPull,
        Self::LeftTwistLeft,
        Self::LeftTwistRight,
        Self::ToolWire,
        Self::ToolMicrocatheter,
        Self::ToolCatheter,
        Self::SwapHands,
        Self::HoldNext,
        Self::Puff,
        Self::Arm,
        Self::Flush,
        Self::TableLeft,
        Self::TableRight,
        Self::TableUp,
        Self::TableDown,
        Self::ArmRao,
        Self::ArmLao,
        Self::ArmCranial,
        Self::ArmCaudal,
        Self::FieldSmaller,
        Self::FieldLarger,
        Self::SidLonger,
        Self::SidShorter,
        Self::SendToReference,
        Self::ReferencePlay,
        Self::ReferenceBack,
        Self::ReferenceForward,
        Self::HoldBreath,
        Self::Remask,
        Self::RoadmapSourceNext,
        Self::RoadmapOpacityNext,
        Self::StoreFluoro,
        Self::Review,
        Self::SkinDose,
        Self::StoreReferenceA,
        Self::RecallReferenceA,
        Self::StoreReferenceB,
        Self::RecallReferenceB,
        Self::View1,
        Self::View2,
        Self::View3,
        Self::View4,
        Self::BladesIn,
        Self::BladesOut,
        Self::WedgeNext,
        Self::LevelNext,
        Self::ProgramNext,
        Self::PulseRateNext,
        Self::ScreenToggle,
        Self::Hint,
        Self::Truth,
        Self::KeyList,
        Self::Pause,
    ];

    /// What it does, for the key list.
    pub fn label(self) -> &'static str {
        t(match self {
            Self::Fluoro => Text::KeyFluoro,
            Self::Acquire => Text::KeyAcquire,
            Self::Roadmap => Text::KeyRoadmap,
            Self::SendToReference => Text::KeySendToReference,
            Self::ReferencePlay => Text::KeyReferencePlay,
            Self::ReferenceBack => Text::KeyReferenceBack,
            Self::ReferenceForward => Text::KeyReferenceForward,
            Self::RightPush => Text::KeyRightPush,
            Self::RightPull => Text::KeyRightPull,
            Self::RightTwistLeft => Text::KeyRightTwistLeft,
            Self::RightTwistRight => Text::KeyRightTwistRight,
            Self::LeftPush => Text::KeyLeftPush,
            Self::LeftPull => Text::KeyLeftPull,
            Self::LeftTwistLeft => Text::KeyLeftTwistLeft,
            Self::LeftTwistRight => Text::KeyLeftTwistRight,
            Self::ToolWire => Text::KeyToolWire,
            Self::ToolMicrocatheter => Text::KeyToolMicrocatheter,
            Self::ToolCatheter => Text::KeyToolCatheter,
            Self::SwapHands => Text::KeySwapHands,
            Self::HoldNext => Text::KeyHoldNext,
            Self::Puff => Text::KeyPuff,
            Self::Arm => Text::KeyArm,
            Self::Flush => Text::KeyFlush,
            Self::TableLeft => Text::KeyTableLeft,
            Self::TableRight => Text::KeyTableRight,
            Self::TableUp => Text::KeyTableUp,
            Self::TableDown => Text::KeyTableDown,
            Self::ArmRao => Text::KeyArmRao,
            Self::ArmLao => Text::KeyArmLao,
            Self::ArmCranial => Text::KeyArmCranial,
            Self::ArmCaudal => Text::KeyArmCaudal,
            Self::FieldSmaller => Text::KeyFieldSmaller,
            Self::FieldLarger => Text::KeyFieldLarger,
            Self::SidLonger => Text::KeySidLonger,
            Self::SidShorter => Text::KeySidShorter,
            Self::HoldBreath => Text::KeyHoldBreath,
            Self::Remask => Text::KeyRemask,
            Self::RoadmapSourceNext => Text::KeyRoadmapSource,
            Self::RoadmapOpacityNext => Text::KeyRoadmapOpacity,
            Self::StoreFluoro => Text::KeyStoreFluoro,
            Self::Review => Text::KeyReview,
            Self::SkinDose => Text::KeySkinDose,
            Self::StoreReferenceA => Text::KeyStoreA,
            Self::RecallReferenceA => Text::KeyRecallA,
            Self::StoreReferenceB => Text::KeyStoreB,
            Self::RecallReferenceB => Text::KeyRecallB,
            Self::View1 => Text::KeyView1,
            Self::View2 => Text::KeyView2,
            Self::View3 => Text::KeyView3,
            Self::View4 => Text::KeyView4,
            Self::BladesIn => Text::KeyBladesIn,
            Self::BladesOut => Text::KeyBladesOut,
            Self::WedgeNext => Text::KeyWedge,
            Self::LevelNext => Text::KeyLevel,
            Self::ProgramNext => Text::KeyProgram,
            Self::PulseRateNext => Text::KeyPulseRate,
            Self::ScreenToggle => Text::KeyScreen,
            Self::Hint => Text::KeyHint,
            Self::Truth => Text::KeyTruth,
            Self::KeyList => Text::KeyKeyList,
            Self::Pause => Text::KeyPause,
        })
    }
}

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

const DEFAULTS: &[(KeyAction, &str)] = &[
    (KeyAction::Fluoro, "Space"),
    (KeyAction::Acquire, "KeyV"),
    (KeyAction::Roadmap, "KeyR"),
    (KeyAction::SendToReference, "KeyC"),
    (KeyAction::ReferencePlay, "KeyP"),
    (KeyAction::ReferenceBack, "Comma"),
    (KeyAction::ReferenceForward, "Period"),
    (KeyAction::RightPush, "KeyW"),
    (KeyAction::RightPull, "KeyS"),
    (KeyAction::RightTwistLeft, "KeyQ"),
    (KeyAction::RightTwistRight, "KeyE"),
    (KeyAction::LeftPush, "KeyI"),
    (KeyAction::LeftPull, "KeyK"),
    (KeyAction::LeftTwistLeft, "KeyJ"),
    (KeyAction::LeftTwistRight, "KeyL"),
    (KeyAction::ToolWire, "Digit1"),
    (KeyAction::ToolMicrocatheter, "Digit2"),
    (KeyAction::ToolCatheter, "Digit3"),
    (KeyAction::SwapHands, "Tab"),
    (KeyAction::HoldNext, "KeyX"),
    (KeyAction::Puff, "KeyZ"),
    (KeyAction::Arm, "KeyA"),
    (KeyAction::Flush, "KeyU"),
    (KeyAction::TableLeft, "ArrowLeft"),
    (KeyAction::TableRight, "ArrowRight"),
    (KeyAction::TableUp, "ArrowUp"),
    (KeyAction::TableDown, "ArrowDown"),
    (KeyAction::ArmRao, "Alt+ArrowLeft"),
    (KeyAction::ArmLao, "Alt+ArrowRight"),
    (KeyAction::ArmCranial, "Alt+ArrowUp"),
    (KeyAction::ArmCaudal, "Alt+ArrowDown"),
    (KeyAction::FieldSmaller, "BracketRight"),
    (KeyAction::FieldLarger, "BracketLeft"),
    (KeyAction::SidLonger, "Home"),
    (KeyAction::SidShorter, "End"),
    (KeyAction::HoldBreath, "Alt+KeyB"),
    (KeyAction::Remask, "Alt+KeyR"),
    (KeyAction::RoadmapSourceNext, "KeyO"),
    (KeyAction::RoadmapOpacityNext, "Alt+KeyO"),
    (KeyAction::StoreFluoro, "KeyT"),
    (KeyAction::Review, "KeyF"),
    (KeyAction::SkinDose, "KeyD"),
    (KeyAction::StoreReferenceA, "KeyN"),
    (KeyAction::RecallReferenceA, "Alt+KeyN"),
    (KeyAction::StoreReferenceB, "KeyM"),
    (KeyAction::RecallReferenceB, "Alt+KeyM"),
    (KeyAction::View1, "Alt+Digit1"),
    (KeyAction::View2, "Alt+Digit2"),
    (KeyAction::View3, "Alt+Digit3"),
    (KeyAction::View4, "Alt+Digit4"),
    (KeyAction::BladesIn, "Minus"),
    (KeyAction::BladesOut, "Equal"),
    (KeyAction::WedgeNext, "Semicolon"),
    (KeyAction::LevelNext, "KeyH"),
    (KeyAction::ProgramNext, "KeyG"),
    (KeyAction::PulseRateNext, "KeyY"),
    (KeyAction::ScreenToggle, "KeyB"),
    (KeyAction::Hint, "F1"),
    (KeyAction::Truth, "F2"),
    (KeyAction::KeyList, "F12 Slash"),
    (KeyAction::Pause, "Escape"),
];

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
