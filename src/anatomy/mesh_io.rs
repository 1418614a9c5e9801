//! Reading and writing of triangle meshes: STL (binary, ASCII) and OBJ, in any unit; every fault names file and place.

use std::collections::BTreeMap;
use std::path::Path;

use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::Mesh;
use super::mesh_repair::{flip_inward_bodies, orient, weld};
use crate::math::Vec3;

/// Unit of the lengths in a file.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum LengthUnit {
    /// Millimeters.
    #[default]
    Mm,
    /// Centimeters.
    Cm,
    /// Meters.
    M,
}

impl LengthUnit {
    /// Millimeters in one of it.
    pub fn mm(self) -> f64 {
        match self {
            Self::Mm => 1.0,
            Self::Cm => 10.0,
            Self::M => 1000.0,
        }
    }
}

/// Why a mesh cannot be read.
#[derive(Debug, Error)]
pub enum MeshError {
    /// The file cannot be read at all.
    #[error("{file}: cannot be read: {source}")]
    Io {
        /// File.
        file: String,
        /// Cause.
        source: std::io::Error,
    },
    /// The name ends in something else.
    #[error("{file}: found a file ending in {found:?}; allowed: stl, obj")]
    UnknownFormat {
        /// File.
        file: String,
        /// Its extension.
        found: String,
    },
    /// Something in it is not as the format asks.
    #[error("{file}: {place}: found {found}; {allowed}")]
    Syntax {
        /// File.
        file: String,
        /// `line 12` or `triangle 7`.
        place: String,
        /// What is there.
        found: String,
        /// What may be there.
        allowed: String,
    },
    /// There is no triangle in it.
    #[error("{file}: found no triangle; a surface needs at least four")]
    Empty {
        /// File.
        file: String,
    },
}

/// Formats that can be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MeshFormat {
    /// STL, binary or ASCII.
    Stl,
    /// Wavefront OBJ.
    Obj,
}

/// Reads a mesh by the ending of its name: vertices welded, triangles wound outwards, in mm.
pub fn load_mesh(path: &Path, unit: LengthUnit) -> Result<Mesh, MeshError> {
    let file = path.display().to_string();
    let ending = path.extension().map(|e| e.to_string_lossy().to_lowercase()).unwrap_or_default();
    let format = match ending.as_str() {
        "stl" => MeshFormat::Stl,
        "obj" => MeshFormat::Obj,
        _ => return Err(MeshError::UnknownFormat { file, found: ending }),
    };
    let bytes = std::fs::read(path).map_err(|source| MeshError::Io { file: file.clone(), source })?;
    parse_mesh(&bytes, format, unit, &file)
}

/// As [`load_mesh`] from bytes; `file` is the name used in errors.
pub fn parse_mesh(bytes: &[u8], format: MeshFormat, unit: LengthUnit, file: &str) -> Result<Mesh, MeshError> {
    let mut mesh = match format {
        MeshFormat::Stl if is_binary_stl(bytes) => parse_binary_stl(bytes, file)?,
        MeshFormat::Stl => parse_ascii_stl(bytes, file)?,
        MeshFormat::Obj => parse_obj(bytes, file)?,
    };
    for v in &mut mesh.vertices_mm {
        *v *= unit.mm();
    }
    weld(&mut mesh);
    if mesh.triangles.is_empty() {
        return Err(MeshError::Empty { file: file.to_owned() });
    }
    orient(&mut mesh);
    flip_inward_bodies(&mut mesh);
    Ok(mesh)
}

/// A mesh as binary STL (mm).
pub fn stl_bytes(mesh: &Mesh) -> Vec<u8> {
    let mut out = vec![b' '; 80];
    out[..13].copy_from_slice(b"cathnav mesh.");
    out.extend((mesh.triangles.len() as u32).to_le_bytes());
    for t in &mesh.triangles {
        let [a, b, c] = t.map(|i| mesh.vertices_mm[i as usize]);
        let normal = (b - a).cross(&(c - a)).try_normalize(1e-300).unwrap_or_else(Vec3::zeros);
        for v in [normal, a, b, c] {
            for x in v.iter() {
                out.extend((*x as f32).to_le_bytes());
            }
        }
        out.extend([0, 0]);
    }
    out
}

const STL_HEADER: usize = 84;
const STL_RECORD: usize = 50;

fn stl_count(bytes: &[u8]) -> Option<usize> {
    let count: [u8; 4] = bytes.get(80..STL_HEADER)?.try_into().ok()?;
    Some(u32::from_le_bytes(count) as usize)
}

/// Some programs begin binary files with `solid`, so the length decides first.
fn is_binary_stl(bytes: &[u8]) -> bool {
    if stl_count(bytes).is_some_and(|n| bytes.len() == STL_HEADER + STL_RECORD * n) {
        return true;
    }
    let start = bytes.trim_ascii_start();
    !(start.len() >= 5 && start[..5].eq_ignore_ascii_case(b"solid"))
}

fn syntax(file: &str, place: String, found: impl Into<String>, allowed: &str) -> MeshError {
    MeshError::Syntax { file: file.to_owned(), place, found: found.into(), allowed: allowed.to_owned() }
}

fn parse_binary_stl(bytes: &[u8], file: &str) -> Result<Mesh, MeshError> {
    let Some(count) = stl_count(bytes) else {
        return Err(syntax(
            file,
            "start".to_owned(),
            format!("{} bytes", bytes.len()),
            "an STL file begins with `solid` or has a header of 84 bytes",
        ));
    };
    let body = &bytes[STL_HEADER..];
    if body.len() / STL_RECORD < count {
        return Err(syntax(
            file,
            format!("triangle {}", body.len() / STL_RECORD + 1),
            format!("the end of the file after {} bytes", bytes.len()),
            &format!("the header promises {count} triangles of 50 bytes"),
        ));
    }
    let mut mesh = Mesh::default();
    for (i, record) in body.chunks_exact(STL_RECORD).take(count).enumerate() {
        for corner in record[12..48].chunks_exact(12) {
            let mut v = Vec3::zeros();
            for (k, x) in corner.chunks_exact(4).enumerate() {
                v[k] = f64::from(f32::from_le_bytes([x[0], x[1], x[2], x[3]]));
            }
            if !in_range(&v) {
                let found = format!("({}, {}, {})", v.x, v.y, v.z);
                return Err(syntax(file, format!("triangle {}", i + 1), found, COORDINATES));
            }
            mesh.vertices_mm.push(v);
        }
        let first = 3 * i as u32;
        mesh.triangles.push([first, first + 1, first + 2]);
    }
    Ok(mesh)
}

const COORDINATES: &str = "coordinates are finite numbers below 1e9";

fn in_range(v: &Vec3) -> bool {
    v.iter().all(|x| x.abs() < 1e9)
}

fn text<'a>(bytes: &'a [u8], file: &str) -> Result<std::borrow::Cow<'a, str>, MeshError> {
    if bytes.contains(&0) {
        return Err(syntax(file, "start".to_owned(), "binary data", "this format is text"));
    }
    // Names in other encodings do no harm.
    Ok(String::from_utf8_lossy(bytes))
}

fn parse_point<'a>(words: impl Iterator<Item = &'a str>, file: &str, line: usize) -> Result<Vec3, MeshError> {
    let place = || format!("line {line}");
    let mut v = Vec3::zeros();
    let mut n = 0;
    for word in words.take(3) {
        v[n] = word.parse().map_err(|_err| syntax(file, place(), format!("`{word}`"), COORDINATES))?;
        n += 1;
    }
    if n < 3 {
        return Err(syntax(file, place(), format!("{n} coordinates"), "a point has three coordinates"));
    }
    if in_range(&v) {
        Ok(v)
    } else {
        Err(syntax(file, place(), format!("({}, {}, {})", v.x, v.y, v.z), COORDINATES))
    }
}

fn parse_ascii_stl(bytes: &[u8], file: &str) -> Result<Mesh, MeshError> {
    let text = text(bytes, file)?;
    let mut mesh = Mesh::default();
    let mut corners = 0_usize;
    let mut last_line = 0;
    for (i, raw) in text.lines().enumerate() {
        last_line = i + 1;
        let mut words = raw.split_ascii_whitespace();
        let Some(keyword) = words.next() else { continue };
        match keyword.to_ascii_lowercase().as_str() {
            "vertex" => {
                mesh.vertices_mm.push(parse_point(words, file, i + 1)?);
                corners += 1;
            }
            "endfacet" | "endloop" if corners == 0 => {}
            "endfacet" | "endloop" => {
                if corners != 3 {
                    let found = format!("{corners} vertices");
                    return Err(syntax(file, format!("line {}", i + 1), found, "a facet has three vertices"));
                }
                let end = mesh.vertices_mm.len() as u32;
                mesh.triangles.push([end - 3, end - 2, end - 1]);
                corners = 0;
            }
            "solid" | "facet" | "outer" | "endsolid" => {}
            other => {
                return Err(syntax(
                    file,
                    format!("line {}", i + 1),
                    format!("`{}`", shortened(other)),
                    "allowed: solid, facet, outer, vertex, endloop, endfacet, endsolid",
                ));
            }
        }
    }
    if corners != 0 {
        return Err(syntax(
            file,
            format!("line {last_line}"),
            "the end of the file within a facet",
            "every facet ends in `endfacet`",
        ));
    }
    Ok(mesh)
}

fn parse_obj(bytes: &[u8], file: &str) -> Result<Mesh, MeshError> {
    let text = text(bytes, file)?;
    let mut mesh = Mesh::default();
    for (i, raw) in text.lines().enumerate() {
        let mut words = raw.split_ascii_whitespace();
        match words.next() {
            Some("v") => mesh.vertices_mm.push(parse_point(words, file, i + 1)?),
            Some("f") => {
                let corners = words
                    .map(|word| obj_index(word, mesh.vertices_mm.len(), file, i + 1))
                    .collect::<Result<Vec<u32>, _>>()?;
                if corners.len() < 3 {
                    let found = format!("a face of {} corners", corners.len());
                    return Err(syntax(
                        file,
                        format!("line {}", i + 1),
                        found,
                        "a face has at least three corners",
                    ));
                }
                for k in 1..corners.len() - 1 {
                    mesh.triangles.push([corners[0], corners[k], corners[k + 1]]);
                }
            }
            // Normals, texture, groups, materials, lines: not part of a surface.
            _ => {}
        }
    }
    Ok(mesh)
}

/// The vertex of a face corner: counted from 1, or from the end when negative; `v/vt/vn` keeps only `v`.
fn obj_index(word: &str, count: usize, file: &str, line: usize) -> Result<u32, MeshError> {
    let number = word.split('/').next().unwrap_or_default();
    let index = match number.parse::<i64>() {
        Ok(n) if n > 0 => n - 1,
        Ok(n) if n < 0 => n + count as i64,
        _ => -1,
    };
    if (0..count as i64).contains(&index) {
        Ok(index as u32)
    } else {
        let allowed = format!("vertices so far are 1 to {count}");
        Err(syntax(file, format!("line {line}"), format!("vertex `{}`", shortened(word)), &allowed))
    }
}

fn shortened(word: &str) -> String {
    word.chars().take(30).collect()
}

/// One rim of an open mesh.
#[derive(Clone, Debug, PartialEq)]
pub struct OpenRim {
    /// Vertices in order along the rim (of the triangles' own direction).
    pub vertices: Vec<u32>,
    /// Mean of them, mm.
    pub center_mm: Vec3,
    /// Circumference, mm.
    pub length_mm: f64,
}

/// What keeps a mesh from being one closed oriented surface.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Openness {
    /// Rims where the surface ends.
    pub rims: Vec<OpenRim>,
    /// Edges shared by more than two triangles, or by two that disagree in direction: middle points, mm.
    pub bad_edges_mm: Vec<Vec3>,
}

impl Openness {
    /// Looks at every edge.
    pub fn of(mesh: &Mesh) -> Self {
        let mut edges: BTreeMap<(u32, u32), (u32, u32)> = BTreeMap::new();
        for t in &mesh.triangles {
            for k in 0..3 {
                let (a, b) = (t[k], t[(k + 1) % 3]);
                let count = edges.entry((a.min(b), a.max(b))).or_default();
                if a < b {
                    count.0 += 1;
                } else {
                    count.1 += 1;
                }
            }
        }
        let mut next: BTreeMap<u32, Vec<u32>> = BTreeMap::new();
        let mut out = Self::default();
        for (&(a, b), count) in &edges {
            match count {
                (1, 1) => {}
                (1, 0) => next.entry(a).or_default().push(b),
                (0, 1) => next.entry(b).or_default().push(a),
                _ => {
                    let middle = (mesh.vertices_mm[a as usize] + mesh.vertices_mm[b as usize]) * 0.5;
                    out.bad_edges_mm.push(middle);
                }
            }
        }
        while let Some((&start, _)) = next.first_key_value() {
            let mut rim = Vec::new();
            let mut at = start;
            while let Some(ends) = next.get_mut(&at) {
                let to = ends.pop();
                if ends.is_empty() {
                    next.remove(&at);
                }
                rim.push(at);
                match to {
                    Some(to) if to != start => at = to,
                    _ => break,
                }
            }
            out.rims.push(OpenRim::new(mesh, rim));
        }
        out
    }

    /// Closed and consistently wound.
    pub fn is_closed(&self) -> bool {
        self.rims.is_empty() && self.bad_edges_mm.is_empty()
    }
}

impl OpenRim {
    fn new(mesh: &Mesh, vertices: Vec<u32>) -> Self {
        let at = |k: usize| mesh.vertices_mm[vertices[k % vertices.len()] as usize];
        let n = vertices.len();
        let center_mm = (0..n).map(at).sum::<Vec3>() / n as f64;
        let length_mm = (0..n).map(|k| (at(k + 1) - at(k)).norm()).sum();
        Self { vertices, center_mm, length_mm }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TETRAHEDRON: &str = "# four faces\nv 0 0 0\nv 1 0 0\nv 0 1 0\nv 0 0 1\n\
        f 1 3 2\nf 1/5 2/6/7 4//1\nf -3 -2 -1\nf 3 1 4\n";

    fn parse(text: &str, format: MeshFormat) -> Result<Mesh, MeshError> {
        parse_mesh(text.as_bytes(), format, LengthUnit::Mm, "x")
    }

    #[test]
    fn obj_with_slashes_and_negative_indices() {
        let mesh = parse(TETRAHEDRON, MeshFormat::Obj).unwrap();
        assert_eq!((mesh.vertices_mm.len(), mesh.triangles.len()), (4, 4));
        assert!((mesh.signed_volume_mm3() - 1.0 / 6.0).abs() < 1e-15);
        assert!(Openness::of(&mesh).is_closed());
    }

    #[test]
    fn stl_round_trip_in_other_units_and_winding() {
        let mesh = parse(TETRAHEDRON, MeshFormat::Obj).unwrap();
        let mut inward = mesh.clone();
        for t in &mut inward.triangles {
            t.swap(1, 2);
        }
        for m in [&mesh, &inward] {
            let back = parse_mesh(&stl_bytes(m), MeshFormat::Stl, LengthUnit::Cm, "x").unwrap();
            assert!((back.signed_volume_mm3() - 1000.0 / 6.0).abs() < 1e-9);
            assert_eq!(back.vertices_mm.len(), 4);
        }
    }

    #[test]
    fn faults_name_file_and_place() {
        let message = |text: &str, format| parse(text, format).unwrap_err().to_string();
        assert_eq!(
            message("v 0 0 0\nv 1 0\n", MeshFormat::Obj),
            "x: line 2: found 2 coordinates; a point has three coordinates"
        );
        assert_eq!(
            message("v 0 0 0\nv 1 0 0\nf 1 2 3\n", MeshFormat::Obj),
            "x: line 3: found vertex `3`; vertices so far are 1 to 2"
        );
        assert_eq!(
            message("solid a\nfacet\nvertex 0 0 nan\n", MeshFormat::Stl),
            "x: line 3: found (0, 0, NaN); coordinates are finite numbers below 1e9"
        );
        assert_eq!(
            message("solid a\nfacet\nouter loop\nvertex 0 0 1\nvertex 1 1 1\nendloop\n", MeshFormat::Stl),
            "x: line 6: found 2 vertices; a facet has three vertices"
        );
        assert!(message("", MeshFormat::Obj).contains("no triangle"));
        assert!(message("abc", MeshFormat::Stl).contains("84 bytes"));
    }

    #[test]
    fn a_hole_is_found_where_it_is() {
        let mut mesh = parse(TETRAHEDRON, MeshFormat::Obj).unwrap();
        mesh.triangles.pop();
        let open = Openness::of(&mesh);
        assert_eq!(open.rims.len(), 1);
        assert_eq!(open.rims[0].vertices.len(), 3);
        assert!((open.rims[0].center_mm - Vec3::new(0.0, 1.0, 1.0) / 3.0).norm() < 1e-15);
    }
}
