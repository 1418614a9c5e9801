//! Schema of the lesions of a case: those of an anatomy's description (`crate::anatomy::LesionDescription`).

use crate::files::schema::{Body, FieldKind, Kind, NameOf, Variant, default, required};

const VESSEL: FieldKind = required("vessel", Kind::Name(NameOf::Vessel), "vessel");
const NAME: FieldKind = required("name", Kind::NewId, "name");
const MM: Kind = Kind::Number { min: 0.0, max: 2000.0 };
const AT: FieldKind = required("at", PLACE, "its middle, or the place where it leaves the vessel");
const PLACE: Kind = Kind::Variants(&[
    Variant { name: "Mm", doc: "distance from the vessel's origin, mm", body: Body::Value(&MM) },
    Variant { name: "BeforeEnd", doc: "distance back from the vessel's end, mm", body: Body::Value(&MM) },
]);
const CALCIUM: FieldKind =
    default("calcium", number(0.0, 1.0), "0", "share of the circumference with calcium, seen in the X-ray");
const DEBRIS: FieldKind =
    default("debris", number(0.0, 1.0), "0.01", "how loose its plaque is: what comes off when it is opened");
const REDUCTION: FieldKind =
    required("diameter_reduction_pct", number(1.0, 97.0), "diameter reduction at the narrowest, percent");
const CENTER: FieldKind =
    required("center_mm", Kind::Tuple(&[number(-1000.0, 1000.0); 3]), "its center: left, back, up, mm");
const SIDE_DOC: &str = "side: 0 anterior, 90 the patient's left, 180 posterior, 270 right, degrees";

const fn number(min: f64, max: f64) -> Kind {
    Kind::Number { min, max }
}

const fn flow(max: f64) -> FieldKind {
    required("flow_ml_per_min", number(0.01, max), "flow at rest, mL/min")
}

/// Lesions.
pub static LESION: &[Variant] = &[
    Variant {
        name: "Stenosis",
        doc: "narrowing, cosine-shaped over its length",
        body: Body::Fields(&[
            VESSEL,
            AT,
            required("length_mm", number(1.0, 300.0), "length, mm"),
            REDUCTION,
            default(
                "eccentricity",
                number(0.0, 1.0),
                "0",
                "0: throat on the axis, 1: against the healthy wall",
            ),
            default("around_deg", number(-360.0, 360.0), "0", SIDE_DOC),
            CALCIUM,
            DEBRIS,
        ]),
    },
    Variant {
        name: "Occlusion",
        doc: "closed but for a channel that a wire can be led through",
        body: Body::Fields(&[
            VESSEL,
            AT,
            required("length_mm", number(1.0, 400.0), "length, mm"),
            default("channel_mm", number(0.3, 2.0), "0.5", "diameter of the channel, mm"),
            CALCIUM,
            DEBRIS,
        ]),
    },
    Variant {
        name: "Thrombus",
        doc: "clot against one side of the wall",
        body: Body::Fields(&[
            VESSEL,
            AT,
            required("length_mm", number(1.0, 400.0), "length, mm"),
            REDUCTION,
            default("around_deg", number(-360.0, 360.0), "180", SIDE_DOC),
        ]),
    },
    Variant {
        name: "FusiformAneurysm",
        doc: "spindle-shaped widening",
        body: Body::Fields(&[
            VESSEL,
            AT,
            required("length_mm", number(3.0, 300.0), "length, mm"),
            required("diameter_mm", number(1.0, 120.0), "largest diameter, mm"),
        ]),
    },
    Variant {
        name: "SaccularAneurysm",
        doc: "sac with a neck",
        body: Body::Fields(&[
            NAME,
            VESSEL,
            AT,
            default(
                "angle_deg",
                number(20.0, 160.0),
                "90",
                "between the vessel's distal direction and the sac",
            ),
            required("around_deg", number(-360.0, 360.0), SIDE_DOC),
            required("neck_mm", number(0.6, 40.0), "width of the neck, mm"),
            required("width_mm", number(0.63, 80.0), "width of the dome, mm, more than the neck"),
            required(
                "height_mm",
                number(0.5, 240.0),
                "height of the dome over the wall, 0.8 to 3 widths, mm",
            ),
        ]),
    },
    Variant {
        name: "Malformation",
        doc: "nidus between arteries and veins",
        body: Body::Fields(&[
            NAME,
            required(
                "feeders",
                Kind::List {
                    of: &Kind::Tuple(&[Kind::Name(NameOf::Vessel), PLACE, number(0.001, 1000.0)]),
                    min_items: 1,
                },
                "feeders: vessel, place, share of the flow",
            ),
            required("pedicle_mm", number(0.2, 20.0), "diameter of a feeding pedicle, mm"),
            CENTER,
            required("radius_mm", number(0.5, 100.0), "radius of the nidus, mm"),
            flow(3000.0),
            required("transit_s", number(0.05, 20.0), "transit time to the veins, s"),
        ]),
    },
    Variant {
        name: "Fistula",
        doc: "one hole into a vein",
        body: Body::Fields(&[
            NAME,
            VESSEL,
            AT,
            required("hole_mm", number(0.2, 10.0), "diameter of the hole, mm"),
            flow(3000.0),
        ]),
    },
    Variant {
        name: "Bleeding",
        doc: "blood leaves the vessel to a pool outside: active bleeding; the flow is that before any treatment",
        body: Body::Fields(&[
            NAME,
            VESSEL,
            AT,
            flow(500.0),
            default(
                "share_of_time",
                number(0.05, 1.0),
                "1",
                "share of the time in which it bleeds, each period anew; in the rest it stands by itself",
            ),
            default("period_s", number(20.0, 3600.0), "300", "length of such a period, s"),
        ]),
    },
    Variant {
        name: "TumorBed",
        doc: "tumor with a feeder of its own, `feeder.<name>`, and a bed, `bed.<name>`",
        body: Body::Fields(&[
            NAME,
            VESSEL,
            AT,
            required("feeder_mm", number(0.4, 8.0), "diameter of the feeder, mm"),
            default(
                "vessel_mm",
                Kind::Optional(&number(0.4, 12.0)),
                "None",
                "diameter to which the vessel is widened from its origin to the feeder, mm; as described without",
            ),
            CENTER,
            required("radius_mm", number(0.5, 150.0), "radius of the tumor, mm"),
            flow(3000.0),
            required("transit_s", number(0.2, 60.0), "transit time, s"),
        ]),
    },
];
