//! Every word that the window shows, in one table, ready for another column with another language.

macro_rules! table {
    ($($name:ident = $english:literal;)*) => {
        /// A text of the window.
        #[expect(clippy::doc_markdown, reason = "the texts are what a trainee reads")]
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
        pub enum Text {
            $(#[doc = $english] $name,)*
        }

        impl Text {
            /// All texts.
            pub const ALL: &'static [Self] = &[$(Self::$name,)*];
        }

        /// The text in English.
        pub fn t(text: Text) -> &'static str {
            match text {
                $(Text::$name => $english,)*
            }
        }
    };
}

table! {
    AppTitle = "cathnav";
    AppSubtitle = "catheter navigation, to practise with. A teaching tool, not a medical device.";
    Cases = "Cases";
    Play = "Play";
    Watch = "Watch the expert";
    NoCases = "No case was found. Cases are files in the folder scenarios.";
    Best = "best";
    NotPlayed = "not played yet";
    Minutes = "min";
    Planned = "Planned time";
    CurrentStep = "Step";
    PlayRun = "Play";
    Foundation = "Foundation";
    Intermediate = "Intermediate";
    Advanced = "Advanced";
    Quit = "Quit";
    Keys = "Keys";
    Loading = "The patient is being brought in ...";
    LoadingNote = "Vessels, bones and devices are being built.";
    ResumeTitle = "A run was interrupted";
    ResumeText = "Its recording is there up to its last second.";
    ResumeYes = "Go on from there";
    ResumeNo = "Forget it";
    ProblemTitle = "This did not work";
    Dismiss = "Close";
    Back = "Back to the cases";

    Briefing = "Briefing";
    Story = "The patient";
    Task = "The task";
    Why = "Why this procedure exists";
    Source = "Source";
    PassMark = "To pass";
    Marks = "Marks";
    Points = "points";
    ParTitle = "Gold, silver, bronze: at most";
    Begin = "To the table";
    Tray = "Tray";
    KeysHint = "Hold Space for fluoroscopy. W and S push and pull, Q and E turn the tool in the right hand; I, K, J, L the one in the left. F12 shows all keys.";

    LiveMonitor = "Live";
    Live = "LIVE";
    Held = "HELD";
    ArmNow = "arm now";
    DoseAlert = "dose alert";
    NoPicture = "no picture yet: press the pedal";
    XrayOn = "X-RAY ON";
    Fluoro = "Fluoro";
    Acquire = "Acquire";
    Dsa = "DSA";
    Cine = "Cine";
    Roadmap = "Roadmap";
    ReferenceMonitor = "Reference";
    NoReference = "nothing sent yet";
    Send = "Send live";
    Run = "run";
    Frame = "frame";
    TruthView = "See-through patient";
    TruthHelp = "Drag turns, wheel zooms. For teaching: its use is counted.";
    TruthUses = "opened";
    TimeSlow = "time runs at";

    Devices = "Devices";
    Motion = "Motion";
    Xray = "X-ray";
    Contrast = "Contrast";
    Treatment = "Treatment";
    Patient = "Patient";
    Guide = "Guide";
    Log = "Log";

    RightHand = "Right hand";
    LeftHand = "Left hand";
    HandR = "R";
    HandL = "L";
    Swap = "Swap hands";
    Load = "Load";
    Unload = "Take off";
    Inside = "in";
    EmptyTray = "The tray is empty.";
    EmptyHand = "empty";
    NothingInside = "No device has been entered.";

    PushPull = "push, pull";
    Turn = "turn";
    PadHelp = "Drag up and down to push and pull, sideways to turn. Wheel: 15 degree clicks; with Shift 1 mm clicks.";
    Push = "Push";
    Pull = "Pull";
    TurnLeft = "Turn left";
    TurnRight = "Turn right";
    Speed = "Speed";
    HoldHeld = "held";
    HoldFree = "free";
    HoldClamped = "clamped";
    HoldTitle = "Hub";

    Pedal = "Pedal";
    Latch = "A click latches the pedal";
    LatchLeft = "lets go in";
    PulseRate = "Pulses/s";
    FrameRate = "Frames/s";
    Field = "Field";
    Sid = "SID";
    Sides = "Blades, sides";
    Ends = "Blades, ends";
    Arm = "C-arm";
    Table = "Table";
    ArmHelp = "Drag: sideways LAO and RAO, up and down CRA and CAU.";
    TableHeight = "Height";
    TableTilt = "Tilt";
    TableCradle = "Cradle";
    TableLevel = "Level";
    TableHelp = "Drag the field of view over the patient.";
    Detector = "Detector";
    Nearer = "Nearer";
    Farther = "Farther";

    Lumen = "Lumen";
    ChooseLumen = "choose a lumen";
    Syringe = "Syringe";
    FluidContrast = "Contrast";
    FluidDiluted = "Half contrast";
    FluidSaline = "Saline";
    Fill = "Draw up";
    Puff = "Inject";
    Rate = "Rate";
    Volume = "Volume";
    Rise = "rise";
    Delay = "delay";
    Limit = "Limit";
    Flush = "Aspirate and flush";
    Injector = "Injector";
    Program = "Program";
    ArmInjector = "Arm";
    Armed = "ARMED: fires with the next acquisition";
    Disarm = "Disarm";
    Given = "Contrast given";
    NoInjector = "This room has no injector.";

    Agent = "Agent";
    NoAgents = "No embolic or coil on the tray.";
    Detach = "Detach";
    Joint = "joint beyond the catheter";
    Drifts = "carried away by the blood";
    Snared = "in the snare";
    DrawUpAgent = "Draw up agent";
    InjectAgent = "Inject agent";
    AgentGiven = "Agent given";
    InflateMore = "+1/4 turn";
    InflateLess = "-1/4 turn";
    Deflate = "Deflate";
    Nominal = "To nominal pressure";
    Gauge = "Inflator";
    Rated = "rated burst";
    Burst = "The balloon has burst: take it out.";
    Filter = "Filter";
    FilterOpen = "open";
    FilterClosed = "closed";
    Aspirate = "Aspirate";
    AspirateStop = "Stop aspirating";
    SheathBack = "Withdraw sheath";
    SheathOn = "Push sheath on";
    StentOpening = "opening";
    StentPlaced = "placed";
    FirstAccess = "First sheath";
    SecondAccess = "Second sheath";
    Strength = "Strength";
    Pledget = "Push a pledget";
    WithoutBlood = "without blood";
    Clears = "Contrast at the tip clears in";
    Beats = "beats";
    TipFlow = "Flow past the tip";

    HeartRate = "HR";
    Ecg = "ECG II";
    Art = "ART";
    Spo2 = "SpO2";
    Resp = "RR";
    Mean = "mean";
    Act = "ACT";
    BloodLoss = "Blood lost";
    Drugs = "Drugs";
    SkipTime = "Let time pass";
    Heparin = "Heparin 5000 IU";
    Protamine = "Protamine 50 mg";
    Nitroglycerin = "Nitroglycerin 0.1 mg";
    Atropine = "Atropine 0.5 mg";
    Fluids = "Fluids 500 mL";
    Noradrenaline = "Noradrenaline 0.01 mg";
    Fentanyl = "Fentanyl 0.05 mg";
    Adrenaline = "Adrenaline 0.3 mg";
    Midazolam = "Midazolam 1 mg";
    Glucagon = "Glucagon 1 mg";
    PainScale = "Pain";
    Answers = "Answers to";
    Awake = "awake";
    AnswersVoice = "voice";
    AnswersPain = "pain";
    AnswersNothing = "nothing";
    Temperature = "Temperature";
    KidneyLoad = "Contrast the kidneys bear";
    Damped = "damped";
    Gradient = "Gradient across the lesion";
    TipPressure = "TIP";
    Pleth = "PLETH";

    Hint = "Hint";
    HintCost = "A hint is counted in the report.";
    Finish = "The procedure is finished";
    FinishSure = "Finish?";
    NoSteps = "This case lists no steps.";
    Done = "done at";
    Optional = "optional";

    NoLog = "Nothing has happened yet.";

    Pause = "Pause";
    PausedTitle = "The procedure stands still";
    PausedText = "Pedal, injection and hands are released.";
    Continue = "Go on";
    Again = "Begin again";
    EndProcedure = "End the procedure";

    ReportTitle = "Report";
    Passed = "Passed";
    Failed = "Not passed";
    Errors = "What went wrong";
    NoErrors = "No errors were found.";
    Instead = "Instead:";
    Metrics = "Measures";
    Files = "Written";
    DebriefTitle = "Talk about";
    Slip = "slip";
    Mistake = "mistake";
    Blunder = "blunder";
    NoReport = "There is no report: the run ended before it could be made.";

    KeyListTitle = "Keys";
    KeyListHelp = "Click a key, then press the new one. Shift makes motion fine, Ctrl makes it fast.";
    PressKey = "press a key ...";
    ResetKeys = "Keys as delivered";
    Close = "Close";
    Rail = "Rail: hubs at true scale";
    RailHelp = "Drag a handle to push or pull. Click takes the tool in the right hand, right-click in the left.";
    Outside = "outside";
    Force = "force";
    Twist = "twist";
    Demo = "Expert";

    LogEntered = "{} entered";
    LogTakenOff = "{} taken off";
    LogRefused = "Refused: {}";
    LogRun = "Run {}";
    LogRunEnded = "Run {} ended: {} mL of contrast";
    LogInjection = "{} through {}";
    LogInjected = "{} mL given";
    LogPressureLimited = "{}: the pressure limit holds the injector back";
    LogWedged = "{}: injection while the tip fills its vessel";
    LogAir = "Air went in: {} mL";
    LogRefluxEmbolic = "Embolic flowed back into {}";
    LogRefluxContrast = "Contrast flowed back into {}";
    LogSpasm = "Spasm: {}";
    LogDissection = "Dissection: {}";
    LogFilterCaught = "{} keeps a piece of {} mm";
    LogFilterSpilled = "Full filter closed: {} pieces go on with the blood";
    LogAspirated = "{} pieces aspirated";
    LogCorked = "A piece sticks to the tip: draw the catheter back with it";
    LogPerforation = "Perforation: {}";
    LogTipPressure = "{}: the tip presses the wall with {} N";
    LogGiven = "{} {}";
    LogHint = "A hint was asked for";
    LogDiverged = "Solver, access {}: {}; the last good state holds";
    LogFinished = "The procedure is finished";
    LogPlace = "{} at {} mm";
    ShelfRun = "run {}, frame {} of {}, {}";

    KeyFluoro = "Fluoroscopy (while held)";
    KeyAcquire = "Acquisition run (while held)";
    KeyRoadmap = "Roadmap on or off";
    KeySendToReference = "Live picture to the reference monitor";
    KeyReferencePlay = "Reference: play or stop";
    KeyReferenceBack = "Reference: frame before";
    KeyReferenceForward = "Reference: frame after";
    KeyRightPush = "Right hand: push";
    KeyRightPull = "Right hand: pull";
    KeyRightTwistLeft = "Right hand: turn left";
    KeyRightTwistRight = "Right hand: turn right";
    KeyLeftPush = "Left hand: push";
    KeyLeftPull = "Left hand: pull";
    KeyLeftTwistLeft = "Left hand: turn left";
    KeyLeftTwistRight = "Left hand: turn right";
    KeyToolWire = "Right hand takes the wire";
    KeyToolMicrocatheter = "Right hand takes the microcatheter";
    KeyToolCatheter = "Right hand takes the catheter";
    KeySwapHands = "Hands exchange their tools";
    KeyHoldNext = "Hub: held, free, clamped";
    KeyPuff = "Inject from the syringe (while held)";
    KeyArm = "Injector: arm or disarm";
    KeyFlush = "Aspirate and flush";
    KeyTableLeft = "Table: view to screen left";
    KeyTableRight = "Table: view to screen right";
    KeyTableUp = "Table: view to the head";
    KeyTableDown = "Table: view to the feet";
    KeyArmRao = "C-arm: RAO";
    KeyArmLao = "C-arm: LAO";
    KeyArmCranial = "C-arm: cranial";
    KeyArmCaudal = "C-arm: caudal";
    KeyFieldSmaller = "Smaller field";
    KeyFieldLarger = "Larger field";
    KeySidLonger = "Detector away";
    KeySidShorter = "Detector nearer";
    KeyHoldBreath = "Patient: hold the breath, or breathe on";
    KeyRemask = "New mask";
    KeyRoadmapSource = "Roadmap from the last run or from fluoroscopy";
    KeyRoadmapOpacity = "Roadmap opacity";
    KeyStoreFluoro = "Store the last loop of fluoroscopy";
    KeyReview = "Review of stored runs";
    KeySkinDose = "Dose on the skin";
    KeyStoreA = "Store reference view A";
    KeyRecallA = "Go to reference view A";
    KeyStoreB = "Store reference view B";
    KeyRecallB = "Go to reference view B";
    KeyView1 = "First view of the case";
    KeyView2 = "Second view of the case";
    KeyView3 = "Third view of the case";
    KeyView4 = "Fourth view of the case";
    KeyBladesIn = "Blades in";
    KeyBladesOut = "Blades out";
    KeyTableRaise = "Table: patient up";
    KeyTableLower = "Table: patient down";
    KeyTiltHeadUp = "Table: tilt head up";
    KeyTiltHeadDown = "Table: tilt head down";
    KeyCradleLeftUp = "Table: cradle, patient's left up";
    KeyCradleRightUp = "Table: cradle, patient's right up";
    KeyWedge = "Wedge filter: out, a quarter, half";
    KeyLevel = "Dose level of fluoroscopy";
    KeyProgram = "Next acquisition program";
    KeyPulseRate = "Next pulse rate";
    KeyScreen = "Ceiling screen in or out";
    KeyHint = "Hint (counted)";
    KeyTruth = "See-through patient (counted)";
    KeyKeyList = "This list";
    KeyPause = "Pause";

    DoseLevel = "Fluoro dose";
    DoseLevelHelp = "Kerma at the detector: half, normal, double. High is the high-level control: its legal limit is 176 instead of 88 mGy/min.";
    LevelLow = "Low";
    LevelNormal = "Normal";
    LevelHigh = "High";
    HighLevel = "HIGH LEVEL";
    Programs = "Acquisition program";
    GroupBeam = "Beam";
    GroupField = "Field and blades";
    GroupPosition = "C-arm, table, patient";
    GroupPictures = "Roadmap and stored pictures";
    GroupFilters = "Programs, wedge, screens";
    GroupDose = "Dose";
    PatientArms = "Arms";
    PatientArmsHelp = "Arms beside the body lie in a lateral beam through the trunk and cost dose; moved with the beam off";
    ArmsBeside = "beside";
    ArmsUp = "up";
    ProgramsHelp = "Kind and frame rates of the next run, with phases for late filling";
    Views = "Views";
    ViewsHelp = "C-arm positions of the case";
    RoadmapFrom = "Roadmap from";
    RoadmapHelp = "Last run: its vessels are laid over fluoroscopy. Fluoro: turn the roadmap on, fluoroscope with contrast for the mask, release, and go on: vessels are white, devices dark.";
    LastRun = "last run";
    FromFluoro = "fluoro";
    RunWord = "run";
    LoopWord = "loop";
    FrameWord = "frame";
    MaskWord = "mask";
    HoldBreath = "Hold breath";
    Remask = "Remask";
    Opacity = "Opacity";
    StoreFluoro = "Store fluoro";
    Review = "Review";
    SkinDose = "Skin dose";
    References = "Stored views";
    ReferencesHelp = "Two views with their C-arm positions";
    StoreView = "Store";
    GoTo = "Go to";
    Wedge = "Wedge";
    WedgeHelp = "Semi-transparent copper from one side: evens out lung or the gap beside the patient, and saves dose there";
    WedgeOut = "out";
    CeilingScreen = "Ceiling screen";
    TableSkirt = "Table skirt";
    ScreenHelp = "Lead between patient and staff";
    PeakSkin = "Peak skin dose";
    AirKerma = "Air kerma";
    KermaArea = "KAP";
    FluoroTime = "Fluoroscopy";
    AlertAt = "First alert at";
    ReferenceLevel = "Of reference level";
    StaffDose = "Operator eyes / collar";
    NothingToReview = "Nothing is stored yet: make a run or store a loop of fluoroscopy.";
    RunTile = "{} {} {} f";
    LoopTile = "loop {} {} f";
    ReviewSign = "REVIEW";
    Stop = "Stop";
    Subtracted = "Subtracted";
    MaskHere = "Mask here";
    PixelShift = "Pixel shift";
    PixelShiftHelp = "Moves the mask by a tenth of a millimeter at the detector";
    Landmark = "Landmark";
    LandmarkHelp = "How much of the anatomy stays in the subtracted picture";
    ViewTrace = "View trace";
    ViewTraceHelp = "The whole run in one picture: the darkest of each pixel, or the lightest for carbon dioxide";
    TraceOff = "off";
    TraceIodine = "iodine";
    TraceGas = "gas";
    Window = "Window";
    Level = "Level";
    WindowHelp = "Also by dragging the picture with the right button";
    EdgeBoost = "Edges";
    Invert = "Invert";
    AsRoadmap = "As roadmap";
    AsRoadmapHelp = "The vessels of this run are laid over the next fluoroscopy";
    ToReference = "To reference";
    SavePicture = "Save picture";
    SavePictureHelp = "Writes the picture as it is shown here to a PNG file beside the recordings";
    PictureSaved = "Saved {}";
    TooManyPictures = "{} is full of pictures of this frame: move some of them away";
    DigitalZoom = "Digital zoom";
    DigitalZoomHelp = "Mouse wheel over the picture; drag to move. It costs no dose and adds no detail: a smaller field does both";
    WholePicture = "Whole";
    Measure = "Measure";
    MeasureHelp = "Drag a line on the picture, across the vessel and beyond both edges.";
    ToolOff = "off";
    ToolCalibrate = "calibrate";
    ToolDistance = "distance";
    ToolReference = "healthy diameter";
    ToolThroat = "narrowest diameter";
    Stenosis = "Stenosis";
    Scale = "Scale";
    SkinHelp = "Dose to the skin over the whole case";
    FromBehind = "from behind";
    FromFront = "from the front";
    ColorsTo = "colors up to";
    VirtualField = "next field";
    ExportDicom = "DICOM and PNG";
    ExportHelp = "Runs as DICOM XA, the dose report, and pictures, in a folder beside the recording";
    Exporting = "Writing the files ...";
    LogIrradiated = "{}: {} mGy, {} Gy.cm2";
    LogStored = "Fluoroscopy loop {} stored, {} pictures";
    LogReferenceStored = "Reference view {} stored";
    LogDoseAlert = "Dose alert: {} has reached {}";
    LogSubstantial = "Substantial dose: {} has reached {}. The patient needs follow-up.";
    LogTimer = "{} minutes of beam";

    Recordings = "Recordings";
    NoRecordings = "No run has been finished yet. Every finished run is kept here.";
    NoScore = "no report";
    Replay = "Replay";
    Timeline = "Timeline";
    Simulating = "Simulated again up to {}";
    GoThere = "Shows this moment, from five seconds before";

    Curves = "Course";
    CurveKerma = "Air kerma, mGy";
    CurveContrast = "Contrast, mL";
    CurveForce = "Force at the hubs, N";
    CurvePressure = "Mean pressure, mmHg";
    CurveMinutes = "minutes";
}

/// A text whose `{}` are filled in, in order.
pub fn fill(text: Text, values: &[&str]) -> String {
    let mut parts = t(text).split("{}");
    let mut out = parts.next().unwrap_or_default().to_owned();
    let mut values = values.iter();
    for part in parts {
        out.push_str(values.next().copied().unwrap_or_default());
        out.push_str(part);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_clean_ascii_words() {
        assert!(Text::ALL.len() > 150);
        for text in Text::ALL {
            let s = t(*text);
            assert!(!s.is_empty() && s.trim() == s && s.is_ascii(), "{text:?}: {s}");
        }
    }

    #[test]
    fn places_are_filled_in_order() {
        assert_eq!(fill(Text::LogRunEnded, &["2", "9.0"]), "Run 2 ended: 9.0 mL of contrast");
        assert_eq!(fill(Text::LogHint, &["x"]), t(Text::LogHint));
        assert_eq!(fill(Text::LogGiven, &["heparin"]), "heparin ");
    }
}
