//! What a key can do, in words, and the keys as delivered.

use serde::{Deserialize, Serialize};

use super::super::texts::{Text, t};

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
    /// Table and patient up.
    TableRaise,
    /// Table and patient down.
    TableLower,
    /// Table tilt.
    TiltHeadUp,
    /// Table tilt.
    TiltHeadDown,
    /// Table cradle.
    CradleLeftUp,
    /// Table cradle.
    CradleRightUp,
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
    pub const ALL: [Self; 67] = [
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
        Self::TableRaise,
        Self::TableLower,
        Self::TiltHeadUp,
        Self::TiltHeadDown,
        Self::CradleLeftUp,
        Self::CradleRightUp,
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
            Self::TableRaise => Text::KeyTableRaise,
            Self::TableLower => Text::KeyTableLower,
            Self::TiltHeadUp => Text::KeyTiltHeadUp,
            Self::TiltHeadDown => Text::KeyTiltHeadDown,
            Self::CradleLeftUp => Text::KeyCradleLeftUp,
            Self::CradleRightUp => Text::KeyCradleRightUp,
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

/// Keys as delivered, separated by blanks.
pub(super) const DEFAULTS: &[(KeyAction, &str)] = &[
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
    (KeyAction::TableRaise, "PageUp"),
    (KeyAction::TableLower, "PageDown"),
    (KeyAction::TiltHeadUp, "Alt+PageUp"),
    (KeyAction::TiltHeadDown, "Alt+PageDown"),
    (KeyAction::CradleLeftUp, "Alt+Home"),
    (KeyAction::CradleRightUp, "Alt+End"),
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
