//! What a file of `assets/devices` may hold: the types of `file.rs` with ranges, units and defaults.

use crate::files::schema::{Body, Group, Kind, Variant, default, required};

const fn positive(max: f64) -> Kind {
    Kind::Positive { max }
}

const LONGEST_MM: f64 = 5000.0;
const KINDS: &[(&str, &str)] = &[
    ("Sheath", "introducer sheath, fixed at the access"),
    ("Catheter", "diagnostic or guiding catheter"),
    ("Microcatheter", "runs in a catheter"),
    ("Wire", "guidewire, no lumen"),
    ("Coil", "coil on its pusher"),
    ("Plug", "plug of braided wire on its cable"),
    ("Snare", "wire with a loop that catches what lies in it"),
    ("Balloon", "balloon catheter"),
    ("Stent", "stent on its delivery catheter"),
];

const RELEASES: &[(&str, &str)] = &[
    ("Pushed", "loose before its pusher: free once it has left the catheter"),
    ("Detached", "joined to its pusher until it is detached"),
];

/// What stays behind.
pub static IMPLANT: Group = Group {
    name: "ImplantEntry",
    doc: "the part of a coil or plug that stays in the patient",
    fields: &[
        required("length_mm", positive(LONGEST_MM), "length from the tip, mm; a section ends there"),
        required(
            "diameter_mm",
            Kind::Number { min: 0.5, max: 40.0 },
            "unconstrained diameter over the loops or the braid, mm",
        ),
        required("release", Kind::Choice(RELEASES), "how it parts from what pushes it"),
        required("bore_from", Kind::Variants(SIZE), "narrowest bore that it goes through"),
        required("bore_to", Kind::Variants(SIZE), "widest bore in which it does not jam"),
        default("fibered", Kind::Bool, "false", "carries fibers, which clot faster"),
        default("mesh", Kind::Optional(&Kind::Group(&MESH)), "None", "the braid of a plug; coils have none"),
    ],
};

/// Braid.
pub static MESH: Group = Group {
    name: "Mesh",
    doc: "a braid of fine wires",
    fields: &[
        required("wires", Kind::Whole { min: 4.0, max: 2000.0 }, "wires in all its layers"),
        required("wire_mm", positive(1.0), "diameter of a wire, mm"),
    ],
};

const WIRE_RUNS: &[(&str, &str)] = &[
    ("OverTheWire", "the wire runs through the whole shaft"),
    ("RapidExchange", "the wire leaves the shaft behind the balloon"),
];

const ATM: Kind = positive(40.0);

/// A point of a compliance table.
pub static COMPLIANCE: Group = Group {
    name: "Compliance",
    doc: "diameter of a balloon at a pressure",
    fields: &[
        required("atm", ATM, "pressure, atm"),
        required("mm", positive(60.0), "diameter free in air, mm"),
    ],
};

/// Balloon.
pub static BALLOON: Group = Group {
    name: "Balloon",
    doc: "the balloon of a catheter",
    fields: &[
        required("diameter_mm", Kind::Number { min: 1.0, max: 46.0 }, "diameter at nominal pressure, mm"),
        required(
            "length_mm",
            Kind::Number { min: 4.0, max: 300.0 },
            "length of its cylinder, between the markers, mm",
        ),
        required(
            "from_tip_mm",
            Kind::Number { min: 1.0, max: 100.0 },
            "from the tip to the distal end of the cylinder, mm",
        ),
        required(
            "compliance",
            Kind::List { of: &Kind::Group(&COMPLIANCE), min_items: 2 },
            "diameter by pressure, rising",
        ),
        required("nominal_atm", ATM, "nominal pressure, atm"),
        required("rated_atm", ATM, "rated burst pressure, atm"),
        required(
            "burst_atm",
            Kind::Tuple(&[ATM, ATM]),
            "mean and standard deviation of the burst pressure, atm",
        ),
        required(
            "deflation_s",
            Kind::Number { min: 1.0, max: 120.0 },
            "from nominal size to flat at full suction, s",
        ),
    ],
};

const EXPANSIONS: &[(&str, &str)] =
    &[("Balloon", "the balloon of its catheter"), ("Itself", "itself, when its sheath is withdrawn")];

/// How a stent's length follows its diameter.
pub static CELLS: &[Variant] = &[
    Variant {
        name: "Cut",
        doc: "cut from a tube",
        body: Body::Fields(&[required(
            "shortening_pct",
            Kind::Number { min: 0.0, max: 30.0 },
            "shortening on the way to the labelled diameter, percent",
        )]),
    },
    Variant {
        name: "Braid",
        doc: "braided or interwoven",
        body: Body::Fields(&[required(
            "angle_deg",
            Kind::Number { min: 5.0, max: 75.0 },
            "angle between wire and axis at the labelled diameter, degrees",
        )]),
    },
];

/// Stent.
pub static STENT: Group = Group {
    name: "Stent",
    doc: "the stent of a delivery catheter",
    fields: &[
        required("diameter_mm", Kind::Number { min: 1.5, max: 46.0 }, "labelled diameter, mm"),
        required("length_mm", Kind::Number { min: 6.0, max: 250.0 }, "length at that diameter, mm"),
        required(
            "from_tip_mm",
            Kind::Number { min: 1.0, max: 100.0 },
            "from the tip to the distal end of the crimped stent, mm",
        ),
        required("crimped_mm", positive(9.0), "outer diameter crimped, mm"),
        required("widest_mm", positive(60.0), "widest that it can be opened, mm"),
        required("expansion", Kind::Choice(EXPANSIONS), "what opens it"),
        required("cells", Kind::Variants(CELLS), "how its length follows its diameter"),
        required(
            "outward_n_per_mm",
            Kind::Number { min: 0.0, max: 2.0 },
            "chronic outward force per length, N/mm",
        ),
        required("resistive_n_per_mm", positive(20.0), "radial resistive force per length, N/mm"),
        required("recoil_pct", Kind::Number { min: 0.0, max: 20.0 }, "recoil of the diameter, percent"),
        required("strut_mm", positive(0.6), "thickness of its struts, mm"),
        default("covered", Kind::Bool, "false", "covered with a tight membrane"),
        default(
            "recapture_share",
            Kind::Number { min: 0.0, max: 1.0 },
            "0",
            "share of its length up to which it can be drawn in again",
        ),
        default("opaque", Kind::Choice(OPAQUE), "Steel", "what makes its struts visible"),
        required(
            "radiopacity",
            Kind::Number { min: 0.0, max: 20.0 },
            "steel equivalent of a strut, mm of steel per mm",
        ),
    ],
};

const OPAQUE: &[(&str, &str)] = &[
    ("Steel", "stainless steel, cobalt-chromium"),
    ("Nitinol", "nickel-titanium"),
    ("Platinum", "platinum and its alloys"),
    ("Tungsten", "tungsten powder in a polymer jacket"),
    ("Tantalum", "tantalum"),
    ("Gold", "gold"),
    ("Barium", "barium sulfate in a polymer wall"),
];

/// A file of the catalogue.
pub static DEVICE_FILE: Group = Group {
    name: "DeviceFile",
    doc: "devices and embolics of the catalogue",
    fields: &[
        default("devices", Kind::List { of: &Kind::Group(&DEVICE), min_items: 0 }, "[]", "devices"),
        default("embolics", Kind::List { of: &Kind::Group(&EMBOLIC), min_items: 0 }, "[]", "embolics"),
    ],
};

/// Sizes as sold.
pub static SIZE: &[Variant] = &[
    Variant { name: "French", doc: "outer size, 1 F = 1/3 mm", body: Body::Value(&positive(36.0)) },
    Variant { name: "Inches", doc: "0.035 in = 0.89 mm", body: Body::Value(&positive(0.5)) },
    Variant { name: "Mm", doc: "millimeters", body: Body::Value(&positive(12.0)) },
];

/// Pieces of a shape.
pub static PIECE: &[Variant] = &[
    Variant {
        name: "Straight",
        doc: "a straight piece",
        body: Body::Fields(&[required("mm", positive(LONGEST_MM), "length, mm")]),
    },
    Variant {
        name: "Arc",
        doc: "a circular arc",
        body: Body::Fields(&[
            required(
                "deg",
                Kind::Number { min: -1080.0, max: 1080.0 },
                "turn; a negative angle bends the other way",
            ),
            required("radius_mm", Kind::Number { min: 1.0, max: 500.0 }, "radius of the centerline, mm"),
            default(
                "plane_deg",
                Kind::Number { min: -360.0, max: 360.0 },
                "0",
                "plane of the arc, turned about the device",
            ),
        ]),
    },
];

/// Section.
pub static SECTION: Group = Group {
    name: "BuildSection",
    doc: "a stretch of equal or evenly changing build, from the tip",
    fields: &[
        default(
            "length_mm",
            Kind::Optional(&positive(LONGEST_MM)),
            "None",
            "length, mm; the last section reaches to the hub without it",
        ),
        required("outer", Kind::Variants(SIZE), "outer size at the distal end"),
        default(
            "outer_to",
            Kind::Optional(&Kind::Variants(SIZE)),
            "None",
            "outer size at the proximal end, if it changes",
        ),
        required("bend_n_mm2", positive(20000.0), "bending stiffness EI at the distal end, N mm2"),
        default(
            "bend_to_n_mm2",
            Kind::Optional(&positive(20000.0)),
            "None",
            "EI at the proximal end, if it changes",
        ),
        required("torsion_ratio", positive(10.0), "GJ / EI"),
        required(
            "radiopacity",
            Kind::Number { min: 0.0, max: 20.0 },
            "steel equivalent at 60 keV, mm of steel per mm of outer diameter",
        ),
        default("opaque", Kind::Choice(OPAQUE), "Steel", "what makes it visible"),
    ],
};

/// Device.
pub static DEVICE: Group = Group {
    name: "DeviceEntry",
    doc: "a wire, catheter or sheath",
    fields: &[
        required("id", Kind::NewId, "dotted id"),
        required("label", Kind::Text, "what the nurse says"),
        required("kind", Kind::Choice(KINDS), "what it is"),
        required("length_mm", positive(LONGEST_MM), "usable length, mm"),
        default("lumen", Kind::Optional(&Kind::Variants(SIZE)), "None", "bore; none for wires"),
        required(
            "friction_wall",
            Kind::Number { min: 0.0, max: 2.0 },
            "friction coefficient against the wet wall",
        ),
        required(
            "friction_lumen",
            Kind::Number { min: 0.0, max: 2.0 },
            "friction coefficient against a device inside or around it",
        ),
        default(
            "max_pressure_psi",
            Kind::Number { min: 0.0, max: 2000.0 },
            "0",
            "rated pressure of an injection, psi",
        ),
        default(
            "shape",
            Kind::List { of: &Kind::Variants(PIECE), min_items: 0 },
            "[]",
            "shape at rest from the tip; straight beyond",
        ),
        default(
            "side_holes_mm",
            Kind::List { of: &positive(LONGEST_MM), min_items: 0 },
            "[]",
            "side holes, mm from the tip",
        ),
        required("sections", Kind::List { of: &Kind::Group(&SECTION), min_items: 1 }, "build from the tip"),
        default("run", Kind::Choice(WIRE_RUNS), "OverTheWire", "how it runs on its wire"),
        default(
            "implant",
            Kind::Optional(&Kind::Group(&IMPLANT)),
            "None",
            "what a coil or plug leaves behind",
        ),
        default(
            "loop_mm",
            Kind::Optional(&Kind::Number { min: 1.0, max: 60.0 }),
            "None",
            "loop of a snare, mm",
        ),
        default(
            "balloon",
            Kind::Optional(&Kind::Group(&BALLOON)),
            "None",
            "balloon of a balloon catheter or stent",
        ),
        default("stent", Kind::Optional(&Kind::Group(&STENT)), "None", "stent of a delivery catheter"),
        default("filter", Kind::Optional(&Kind::Group(&FILTER)), "None", "embolic filter on a wire"),
        required("source", Kind::Text, "where the figures come from"),
    ],
};

/// Embolic filter.
pub static FILTER: Group = Group {
    name: "Filter",
    doc: "a basket on a wire that keeps debris; lengths from the wire's tip",
    fields: &[
        required("diameter_mm", Kind::Number { min: 1.0, max: 15.0 }, "mouth, open, mm"),
        required(
            "length_mm",
            Kind::Number { min: 3.0, max: 60.0 },
            "collar of the mouth to the end of the bag, mm",
        ),
        required(
            "from_tip_mm",
            Kind::Number { min: 0.0, max: 200.0 },
            "tip of the wire to the end of the bag, mm",
        ),
        required("pore_mm", Kind::Number { min: 0.02, max: 1.0 }, "width of the pores, mm"),
        required("holds_mm3", Kind::Number { min: 0.1, max: 1000.0 }, "debris that clogs it, mm3"),
    ],
};

/// Embolic.
pub static EMBOLIC: Group = Group {
    name: "EmbolicEntry",
    doc: "particles",
    fields: &[
        required("id", Kind::NewId, "dotted id"),
        required("label", Kind::Text, "what it is called"),
        required("size_classes", Kind::List { of: &Kind::Group(&SIZE_CLASS), min_items: 1 }, "sizes"),
        required("particles_per_ml", positive(1e9), "particles in one mL as drawn up"),
        required("iodine_mg_per_ml", Kind::Number { min: 0.0, max: 500.0 }, "iodine, mg/mL"),
        required("min_lumen", Kind::Variants(SIZE), "smallest bore that they pass"),
        default(
            "clumping",
            Kind::Number { min: 0.0, max: 1.0 },
            "0",
            "twice the share of them that sticks together in threes in the suspension as drawn up",
        ),
        default(
            "dissolves_half_life_h",
            Kind::Optional(&positive(10000.0)),
            "None",
            "half-life after which they let blood through again, h; none for permanent ones",
        ),
        required("source", Kind::Text, "where the figures come from"),
    ],
};

/// Size class.
pub static SIZE_CLASS: Group = Group {
    name: "SizeClass",
    doc: "a class of particle sizes",
    fields: &[
        required("min_mm", positive(5.0), "smallest diameter, mm"),
        required("max_mm", positive(5.0), "largest diameter, mm"),
        required("share", Kind::Number { min: 0.0, max: 1.0 }, "share by count"),
    ],
};
