//! Headings of the syllabus that a case's tags point to (CIRSE European Curriculum and Syllabus for Interventional Radiology,
//! third edition, 2023).

/// Number in the syllabus and heading.
const HEADINGS: [(&str, &str); 30] = [
    ("2.1.3", "Patient safety"),
    ("2.1.4", "Occupational hazards"),
    ("2.1.5", "The team"),
    ("2.1.6", "Clinical practice"),
    ("2.1.7", "Pharmacology"),
    ("2.1.8", "Imaging"),
    ("2.1.9", "Core procedures"),
    ("2.2.1.1.1", "Peripheral arterial disease"),
    ("2.2.1.1.2", "Aortic and upper-extremity arterial disease"),
    ("2.2.1.1.3", "Acute aortic syndromes, aneurysm"),
    ("2.2.1.1.4", "Supra-aortic arteries"),
    ("2.2.1.1.5", "Stroke"),
    ("2.2.1.1.6", "Vascular malformations"),
    ("2.2.1.1.7", "Vascular trauma"),
    ("2.2.1.1.8", "Visceral arteries"),
    ("2.2.1.1.9", "Arterial problems in obstetrics and gynaecology"),
    ("2.2.1.2", "Prostate artery embolization"),
    ("2.2.1.2.1", "Priapism"),
    ("2.2.1.3.1", "Venous thrombosis and insufficiency"),
    ("2.2.1.3.2", "Pulmonary thromboembolism"),
    ("2.2.1.3.3", "Superior and inferior vena cava"),
    ("2.2.1.3.4.1", "Portal veins, TIPS"),
    ("2.2.1.3.4.2", "Hepatic veins, Budd-Chiari"),
    ("2.2.1.3.5", "Gonadal veins"),
    ("2.2.1.3.6", "Haemodialysis access"),
    ("2.2.1.3.7", "Central venous access"),
    ("2.2.1.3.8", "Venous sampling"),
    ("2.2.1", "Vascular"),
    ("2.2", "Clinical topics"),
    ("2.1", "Fundamental topics"),
];

/// The tag's prefix.
const PREFIX: &str = "cirse2023:";

/// Heading of the first tag that is in the syllabus: a clinical topic before a fundamental one.
pub(super) fn heading(tags: &[String]) -> Option<String> {
    let known = |tag: &String| {
        let number = tag.strip_prefix(PREFIX)?;
        HEADINGS.iter().find(|(n, _)| *n == number).copied()
    };
    let mut found: Vec<(&str, &str)> = tags.iter().filter_map(known).collect();
    found.sort_by_key(|(number, _)| !number.starts_with("2.2"));
    found.first().map(|(number, words)| format!("{words} (CIRSE {number})"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clinical_topic_comes_first() {
        let tags = ["skill:bifurcation", "cirse2023:2.1.9", "cirse2023:2.2.1.1.7"].map(str::to_owned);
        assert_eq!(heading(&tags).as_deref(), Some("Vascular trauma (CIRSE 2.2.1.1.7)"));
        assert_eq!(heading(&tags[..1]), None);
    }
}
