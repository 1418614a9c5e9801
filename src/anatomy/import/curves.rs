//! Centerline curves of 3D Slicer (`.mrk.json`) and the turn into the patient frame.

use std::path::Path;
use std::str::FromStr;

use serde::Deserialize;

use super::ImportError;
use crate::math::Vec3;

/// How the axes of a file become left, posterior, superior: for each, a file axis and a sign, as in `+y,-z,-x`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AxisMap {
    axes: [(usize, bool); 3],
}

impl Default for AxisMap {
    fn default() -> Self {
        Self { axes: [(0, true), (1, true), (2, true)] }
    }
}

impl AxisMap {
    /// A vector of the file in the patient frame.
    pub fn apply(&self, v: &Vec3) -> Vec3 {
        Vec3::from_fn(|k, _| {
            let (axis, positive) = self.axes[k];
            if positive { v[axis] } else { -v[axis] }
        })
    }

    /// The map mirrors, so that triangles change their winding.
    pub fn mirrors(&self) -> bool {
        let e = [Vec3::x(), Vec3::y(), Vec3::z()].map(|e| self.apply(&e));
        e[0].cross(&e[1]).dot(&e[2]) < 0.0
    }
}

impl FromStr for AxisMap {
    type Err = ImportError;

    fn from_str(text: &str) -> Result<Self, ImportError> {
        let fault = || ImportError::Axes { found: text.to_owned() };
        let mut axes = [(0, true); 3];
        let mut seen = [false; 3];
        let mut words = text.split(',');
        for slot in &mut axes {
            let word = words.next().ok_or_else(fault)?.trim();
            let (positive, letter) = match word.strip_prefix('-') {
                Some(rest) => (false, rest),
                None => (true, word.strip_prefix('+').unwrap_or(word)),
            };
            let axis = ["x", "y", "z"].iter().position(|a| *a == letter).ok_or_else(fault)?;
            if std::mem::replace(&mut seen[axis], true) {
                return Err(fault());
            }
            *slot = (axis, positive);
        }
        if words.next().is_some() {
            return Err(fault());
        }
        Ok(Self { axes })
    }
}

/// A named curve, patient frame, mm.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Curve {
    pub(super) name: String,
    pub(super) points_mm: Vec<Vec3>,
}

#[derive(Deserialize)]
struct MarkupsFile {
    markups: Vec<Markup>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Markup {
    #[serde(default)]
    coordinate_system: String,
    #[serde(default)]
    coordinate_units: Option<serde_json::Value>,
    #[serde(default)]
    control_points: Vec<ControlPoint>,
}

#[derive(Deserialize)]
struct ControlPoint {
    position: [f64; 3],
}

/// Reads the curves of one file; `unit_mm` is used where the file names no unit of its own.
pub(super) fn read_curves(path: &Path, axes: &AxisMap, unit_mm: f64) -> Result<Vec<Curve>, ImportError> {
    let file = path.display().to_string();
    let bytes = std::fs::read(path).map_err(|source| ImportError::Io { file: file.clone(), source })?;
    let name = path.file_name().map(|n| n.to_string_lossy().into_owned()).unwrap_or_default();
    let name = name.split('.').next().unwrap_or_default().to_owned();
    parse_curves(&bytes, &file, &name, axes, unit_mm)
}

/// As [`read_curves`] from bytes.
pub(super) fn parse_curves(
    bytes: &[u8],
    file: &str,
    name: &str,
    axes: &AxisMap,
    unit_mm: f64,
) -> Result<Vec<Curve>, ImportError> {
    let parsed: MarkupsFile = serde_json::from_slice(bytes).map_err(|e| ImportError::Json {
        file: file.to_owned(),
        line: e.line(),
        column: e.column(),
        what: e.to_string(),
    })?;
    let mut curves = Vec::new();
    let many = parsed.markups.len() > 1;
    for (i, markup) in parsed.markups.iter().enumerate() {
        let scale = match markup.coordinate_units.as_ref().and_then(|u| u.as_str()) {
            Some("mm") => 1.0,
            Some("cm") => 10.0,
            Some("m") => 1000.0,
            _ => unit_mm,
        };
        // Slicer's RAS and LPS differ in the sign of the first two axes.
        let flip = if markup.coordinate_system == "RAS" { -1.0 } else { 1.0 };
        let mut points_mm: Vec<Vec3> = Vec::new();
        for p in &markup.control_points {
            let [x, y, z] = p.position;
            let v = axes.apply(&(Vec3::new(flip * x, flip * y, z) * scale));
            if !v.iter().all(|x| x.abs() < 1e6) {
                let what = format!("a point ({x}, {y}, {z}); coordinates are finite numbers below 1e6 mm");
                return Err(ImportError::Curve { file: file.to_owned(), what });
            }
            if points_mm.last().is_none_or(|last| (last - v).norm() > 1e-6) {
                points_mm.push(v);
            }
        }
        if points_mm.len() < 2 {
            let what = format!("a curve of {} points; a centerline has at least two", points_mm.len());
            return Err(ImportError::Curve { file: file.to_owned(), what });
        }
        let name = if many { format!("{name}.{i}") } else { name.to_owned() };
        curves.push(Curve { name, points_mm });
    }
    if curves.is_empty() {
        return Err(ImportError::Curve { file: file.to_owned(), what: "no curve".to_owned() });
    }
    Ok(curves)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn axis_maps() {
        let map: AxisMap = "+y,-z,-x".parse().unwrap();
        assert_eq!(map.apply(&Vec3::new(1.0, 2.0, 3.0)), Vec3::new(2.0, -3.0, -1.0));
        assert!(!map.mirrors());
        assert!("x,y,-z".parse::<AxisMap>().unwrap().mirrors());
        for bad in ["", "x,y", "x,y,y", "x,y,z,x", "a,y,z"] {
            assert!(bad.parse::<AxisMap>().is_err(), "{bad}");
        }
    }

    #[test]
    fn faults_name_the_place() {
        let parse = |text: &str| parse_curves(text.as_bytes(), "c.json", "c", &AxisMap::default(), 1.0);
        assert!(parse("{\"markups\": [\n{]}").unwrap_err().to_string().starts_with("c.json:2:"));
        let one = r#"{"markups":[{"coordinateSystem":"RAS","controlPoints":[{"position":[1,2,3]}]}]}"#;
        assert!(parse(one).unwrap_err().to_string().contains("at least two"));
        let two = r#"{"markups":[{"coordinateSystem":"RAS","coordinateUnits":"cm",
            "controlPoints":[{"position":[1,2,3]},{"position":[1,2,4]}]}]}"#;
        assert_eq!(parse(two).unwrap()[0].points_mm[1], Vec3::new(-10.0, -20.0, 40.0));
    }
}
