//! What the tissue behind a bed bears without blood, and what becomes of the patient when it is closed. Beds are named `bed.<organ>.<part>`.

/// An organ as embolization meets it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Organ {
    /// Its beds are called this, or this and a dot and the part.
    pub bed: &'static str,
    /// In words.
    pub label: &'static str,
    /// Share of its resting arterial flow at which all of it still lives, `[K]`: below it a part dies.
    pub critical_flow_share: f64,
    /// Share that may be lost before the harm below is to be expected, percent `[K]`.
    pub bears_pct: f64,
    /// What happens beyond that.
    pub harm: &'static str,
}

const fn organ(
    bed: &'static str,
    label: &'static str,
    critical_flow_share: f64,
    bears_pct: f64,
    harm: &'static str,
) -> Organ {
    Organ { bed, label, critical_flow_share, bears_pct, harm }
}

/// Organs that the harm of lost tissue is known for; all figures `[K]`. The liver lives on its portal vein; the stomach and the
/// skin and muscle of trunk and limbs have many small supplies that the network leaves out.
#[rustfmt::skip]
pub const ORGANS: &[Organ] = &[
    organ("bed.spleen", "Spleen", 0.25, 70.0, "Abscess, portal vein thrombosis and death threaten when more than 70 % of the spleen is lost."),
    organ("bed.liver", "Liver", 0.05, 50.0, "The portal vein feeds the liver, but the bile ducts live on the artery: biloma, abscess."),
    organ("bed.gallbladder", "Gallbladder", 0.3, 30.0, "Ischemic cholecystitis, perforation."),
    organ("bed.pancreas", "Pancreas", 0.3, 20.0, "Pancreatitis."),
    organ("bed.stomach", "Stomach", 0.1, 40.0, "Ulcer or necrosis of the stomach."),
    organ("bed.small_bowel", "Small bowel", 0.25, 10.0, "Ischemia of the small bowel: pain, perforation, resection."),
    organ("bed.ileum", "Ileum", 0.25, 15.0, "Ischemia of the ileum: pain, perforation, resection."),
    organ("bed.cecum", "Cecum", 0.25, 25.0, "Ischemia of the cecum: perforation."),
    organ("bed.colon", "Colon", 0.25, 34.0, "Ischemia of the colon over more than 5 cm: perforation, stricture."),
    organ("bed.sigmoid", "Sigmoid colon", 0.25, 25.0, "Ischemia of the sigmoid colon: perforation, stricture."),
    organ("bed.rectum", "Rectum", 0.2, 50.0, "Ischemia of the rectum."),
    organ("bed.kidney", "Kidney", 0.25, 15.0, "Infarct of the kidney: loss of function, high pressure."),
    organ("bed.ovary", "Ovary", 0.3, 30.0, "Failure of the ovary: early menopause."),
    organ("bed.uterus", "Uterus", 0.2, 100.0, "Necrosis of the uterus."),
    organ("bed.vagina", "Cervix and vagina", 0.2, 60.0, "Necrosis of cervix or vagina, pain, fistula."),
    organ("bed.bladder", "Bladder", 0.2, 40.0, "Necrosis of the bladder wall."),
    organ("bed.gluteus", "Buttock", 0.2, 30.0, "Pain when walking, necrosis of the buttock, palsy of the sciatic nerve."),
    organ("bed.perineum", "Perineum", 0.2, 40.0, "Necrosis of the skin, impotence."),
    organ("bed.sacrum", "Sacrum", 0.2, 50.0, "Palsy of sacral nerves."),
    organ("bed.thigh", "Thigh", 0.1, 40.0, "Ischemia of the thigh."),
    organ("bed.leg", "Leg", 0.15, 20.0, "Ischemia of the leg: a second procedure at once."),
    organ("bed.calf", "Calf", 0.15, 30.0, "Ischemia of the calf."),
    organ("bed.foot", "Foot", 0.15, 30.0, "Ischemia of the foot, loss of toes."),
    organ("bed.brain", "Brain", 0.35, 1.0, "Stroke."),
    organ("bed.cerebellum", "Cerebellum", 0.35, 1.0, "Stroke of the cerebellum."),
];

/// The organ that a bed belongs to.
pub fn organ_of(bed: &str) -> Option<&'static Organ> {
    ORGANS.iter().find(|o| is_part_of(bed, o.bed))
}

/// Is a bed this one, or a part of it: `bed.liver.8` of `bed.liver`.
pub fn is_part_of(bed: &str, of: &str) -> bool {
    bed.strip_prefix(of).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_belong_to_their_organ_and_to_no_other() {
        assert_eq!(organ_of("bed.liver.8").map(|o| o.label), Some("Liver"));
        assert_eq!(organ_of("bed.spleen").map(|o| o.label), Some("Spleen"));
        assert_eq!(organ_of("bed.legend"), None);
        assert!(!is_part_of("bed.leg.left", "bed.le"));
    }
}
