//! Files of an anatomy folder: description, stored build, and what reads and writes them.

use std::fs;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::build::{BUILDER_VERSION, PARTS_VERSION, circulation_of};
use super::vary::{PatientChoice, Variation, vary};
use super::{
    AccessSite, Anatomy, AnatomyError, BodySurface, Circulation, CornerLabel, Description, ImportDescription,
    Landmark, LumenMesh, Mesh, RouteDescription, VesselId, VesselTree, build, build_import, build_tree,
    route,
};

/// The description, written by people.
pub(super) const DESCRIPTION_FILE: &str = "anatomy.ron";
/// Tree, sites, landmarks and names of the surfaces.
const TREE_FILE: &str = "tree.bin";
const LUMEN_FILE: &str = "lumen.ply";

/// What [`TREE_FILE`] holds, after the eight bytes of magic.
#[derive(Serialize, Deserialize)]
struct Stored {
    description_hash: String,
    name: String,
    title: String,
    tree: VesselTree,
    access_sites: Vec<AccessSite>,
    landmarks: Vec<Landmark>,
    /// Body surfaces without their triangles, which are in `<name>.ply`.
    body: Vec<BodySurface>,
    /// Arc lengths of the corners of the lumen.
    arcs_mm: Vec<[f32; 3]>,
}

const MAGIC: &[u8; 8] = b"cnanat01";

/// What an `anatomy.ron` holds.
#[derive(Clone, Debug, PartialEq)]
pub enum AnatomyFile {
    /// Branches and bones as a person described them.
    Described(Box<Description>),
    /// `Imported(...)`: mesh and centerlines made by other programs.
    Imported(Box<ImportDescription>),
}

impl AnatomyFile {
    /// Name, that of the folder.
    pub fn name(&self) -> &str {
        match self {
            Self::Described(d) => &d.name,
            Self::Imported(i) => &i.name,
        }
    }

    /// English title.
    pub fn title(&self) -> &str {
        match self {
            Self::Described(d) => &d.title,
            Self::Imported(i) => &i.title,
        }
    }

    /// What lies beyond a tree built from it.
    fn circulation(&self, tree: &VesselTree) -> Circulation {
        match self {
            Self::Described(d) => circulation_of(d, tree),
            Self::Imported(_) => Circulation::default(),
        }
    }

    /// Hash of the description and of the builder: that which a stored build must carry. What lies beyond the tree is read
    /// from the description at each load and is no part of the build.
    pub fn hash(&self) -> String {
        let bytes = match self {
            Self::Described(d) => {
                let built_from = Description {
                    circulation: Circulation::default(),
                    ends: Vec::new(),
                    variation: Variation::default(),
                    ..(**d).clone()
                };
                postcard::to_stdvec(&built_from)
            }
            Self::Imported(i) => postcard::to_stdvec(i),
        };
        let mut bytes = bytes.unwrap_or_default();
        bytes.extend_from_slice(&BUILDER_VERSION.to_le_bytes());
        if matches!(self, Self::Described(d) if d.body.is_some()) {
            bytes.extend_from_slice(&PARTS_VERSION.to_le_bytes());
        }
        crate::math::hash::hex_of_bytes(&bytes)
    }
}

/// Reads `anatomy.ron` in a folder.
pub fn read_file(dir: &Path) -> Result<AnatomyFile, AnatomyError> {
    let path = dir.join(DESCRIPTION_FILE);
    let text = fs::read_to_string(&path).map_err(io(&path, "cannot be read"))?;
    parse_file(&path, &text)
}

/// Reads the text of an `anatomy.ron`; `path` is for messages.
pub fn parse_file(path: &Path, text: &str) -> Result<AnatomyFile, AnatomyError> {
    let options = ron::Options::default().with_default_extension(ron::extensions::Extensions::IMPLICIT_SOME);
    let first =
        text.lines().map(str::trim).find(|l| !l.is_empty() && !l.starts_with("//") && !l.starts_with('#'));
    let fault = |e: ron::error::SpannedError| AnatomyError::Parse {
        path: path.to_path_buf(),
        line: e.span.start.line,
        column: e.span.start.col,
        what: e.code.to_string(),
    };
    if first.is_some_and(|l| l.starts_with("Imported")) {
        return options.from_str(text).map(|i| AnatomyFile::Imported(Box::new(i))).map_err(fault);
    }
    if !first.is_some_and(|l| l.starts_with("Route")) {
        return options.from_str(text).map(|d| AnatomyFile::Described(Box::new(d))).map_err(fault);
    }
    // Regions lie in the folders beside that of the route.
    let joined: RouteDescription = options.from_str(text).map_err(fault)?;
    let beside = path.parent().and_then(Path::parent).unwrap_or(Path::new(".."));
    let region = |name: &str| match read_file(&beside.join(name))? {
        AnatomyFile::Described(d) if name != joined.name => Ok(*d),
        _ => Err(AnatomyError::Value {
            item: joined.name.clone(),
            field: "parts",
            found: format!("`{name}`"),
            allowed: "regions that are described by branches".to_owned(),
        }),
    };
    route::join(&joined, &region).map(|d| AnatomyFile::Described(Box::new(d)))
}

/// The stored tree of a file; refuses one that was built from another description.
fn read_stored(dir: &Path, file: &AnatomyFile) -> Result<Stored, AnatomyError> {
    let path = dir.join(TREE_FILE);
    let bytes = match fs::read(&path) {
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => {
            return Err(AnatomyError::Stale { path, name: file.name().to_owned() });
        }
        other => other.map_err(io(&path, "cannot be read"))?,
    };
    let Some(body) = bytes.strip_prefix(MAGIC) else {
        return Err(damaged(&path, "not a stored tree of this version"));
    };
    let stored: Stored =
        postcard::from_bytes(body).map_err(|e| damaged(&path, &format!("not a stored tree: {e}")))?;
    if stored.description_hash != file.hash() {
        return Err(AnatomyError::Stale { path, name: file.name().to_owned() });
    }
    Ok(stored)
}

/// Vessels and access sites of an anatomy folder, without its surfaces: built from a description, stored for an import.
pub fn load_tree(dir: &Path) -> Result<(VesselTree, Vec<AccessSite>), AnatomyError> {
    match read_file(dir)? {
        AnatomyFile::Described(description) => build_tree(&description),
        file @ AnatomyFile::Imported(_) => read_stored(dir, &file).map(|s| (s.tree, s.access_sites)),
    }
}

/// As [`load_tree`], of a patient who differs.
pub fn patient_tree(
    dir: &Path,
    patient: &PatientChoice,
) -> Result<(VesselTree, Vec<AccessSite>), AnatomyError> {
    match read_file(dir)? {
        AnatomyFile::Described(d) if !patient.is_plain() => build_tree(&vary(&d, patient)?.0),
        _ => load_tree(dir),
    }
}

/// Loads the build that is stored beside the description in an anatomy folder; refuses one of another description.
pub fn load(dir: &Path) -> Result<Anatomy, AnatomyError> {
    load_stored(dir, &read_file(dir)?)
}

/// Is a build stored beside the description.
pub fn is_stored(dir: &Path) -> bool {
    dir.join(TREE_FILE).is_file()
}

/// Loads an anatomy for a patient: the stored build, or, where none is stored or the patient differs from the description, one
/// that is built on first use and kept below `cache`.
pub fn load_patient(dir: &Path, patient: &PatientChoice, cache: &Path) -> Result<Anatomy, AnatomyError> {
    let file = read_file(dir)?;
    match &file {
        AnatomyFile::Described(d) if !patient.is_plain() => cached(&vary(d, patient)?.0, cache),
        AnatomyFile::Described(d) if !is_stored(dir) => cached(d, cache),
        AnatomyFile::Imported(i) if !patient.is_plain() => Err(AnatomyError::Value {
            item: i.name.clone(),
            field: "seed, set",
            found: "an imported anatomy".to_owned(),
            allowed: "none: it does not vary".to_owned(),
        }),
        _ => load_stored(dir, &file),
    }
}

/// The build of a description, from the cache or made now and put there. A cache that cannot be written costs time only.
pub fn cached(description: &Description, cache: &Path) -> Result<Anatomy, AnatomyError> {
    let file = AnatomyFile::Described(Box::new(description.clone()));
    let hash = file.hash();
    let folder = cache.join("anatomy");
    let dir = folder.join(format!("{}-{}", description.name, &hash[..hash.len().min(16)]));
    if let Ok(anatomy) = load_stored(&dir, &file) {
        return Ok(anatomy);
    }
    let anatomy = build(description)?;
    let put = || -> Option<()> {
        fs::create_dir_all(&folder).ok()?;
        let temporary = tempfile::tempdir_in(&folder).ok()?;
        let text = ron::ser::to_string_pretty(description, ron::ser::PrettyConfig::default()).ok()?;
        fs::write(temporary.path().join(DESCRIPTION_FILE), text).ok()?;
        store(&anatomy, temporary.path(), hash.clone()).ok()?;
        if dir.exists() {
            // Damaged, or of another process that was faster.
            fs::remove_dir_all(&dir).ok();
        }
        fs::rename(temporary.keep(), &dir).ok()
    };
    put();
    Ok(anatomy)
}

fn load_stored(dir: &Path, file: &AnatomyFile) -> Result<Anatomy, AnatomyError> {
    let stored = read_stored(dir, file)?;
    let circulation = file.circulation(&stored.tree);
    circulation.check(&stored.tree)?;
    let lumen = read_lumen(&dir.join(LUMEN_FILE), &stored)?;
    let mut surfaces = stored.body;
    for s in &mut surfaces {
        let path = surface_file(dir, &s.name);
        let bytes = fs::read(&path).map_err(io(&path, "cannot be read"))?;
        s.mesh = ply_read(&bytes).map_err(|what| damaged(&path, &what))?.0;
    }
    let lesions = match file {
        AnatomyFile::Described(d) => d.lesions.clone(),
        AnatomyFile::Imported(_) => Vec::new(),
    };
    Ok(Anatomy {
        name: stored.name,
        title: stored.title,
        tree: stored.tree,
        lumen,
        body: surfaces,
        access_sites: stored.access_sites,
        landmarks: stored.landmarks,
        circulation,
        lesions,
    })
}

/// Writes the build of the description in a folder beside it; each file is written whole and then renamed.
pub fn save(anatomy: &Anatomy, dir: &Path) -> Result<(), AnatomyError> {
    store(anatomy, dir, read_file(dir)?.hash())
}

fn store(anatomy: &Anatomy, dir: &Path, description_hash: String) -> Result<(), AnatomyError> {
    let vessels: Vec<u16> = anatomy.lumen.labels.iter().map(|l| l[0].vessel.0 as u16).collect();
    write(&dir.join(LUMEN_FILE), &ply_bytes(&anatomy.lumen.mesh, Some(&vessels)))?;
    let mut body = Vec::new();
    for s in &anatomy.body {
        write(&surface_file(dir, &s.name), &ply_bytes(&s.mesh, None))?;
        body.push(BodySurface { mesh: Mesh::default(), ..s.clone() });
    }
    let stored = Stored {
        description_hash,
        name: anatomy.name.clone(),
        title: anatomy.title.clone(),
        tree: anatomy.tree.clone(),
        access_sites: anatomy.access_sites.clone(),
        landmarks: anatomy.landmarks.clone(),
        body,
        arcs_mm: anatomy.lumen.labels.iter().map(|l| l.map(|c| c.arc_mm)).collect(),
    };
    let path = dir.join(TREE_FILE);
    let mut bytes = MAGIC.to_vec();
    bytes.extend(postcard::to_stdvec(&stored).map_err(|e| damaged(&path, &e.to_string()))?);
    write(&path, &bytes)
}

/// Names of the anatomies below an assets folder (`<assets>/anatomy/<name>/anatomy.ron`), sorted.
pub fn list(assets_root: &Path) -> Result<Vec<String>, AnatomyError> {
    let dir = assets_root.join("anatomy");
    let mut names = Vec::new();
    for entry in fs::read_dir(&dir).map_err(io(&dir, "cannot be read"))? {
        let entry = entry.map_err(io(&dir, "cannot be read"))?;
        if entry.path().join(DESCRIPTION_FILE).is_file() {
            names.push(entry.file_name().to_string_lossy().into_owned());
        }
    }
    names.sort();
    Ok(names)
}

/// Reads, builds and stores the anatomy of a folder.
pub fn build_folder(dir: &Path) -> Result<Anatomy, AnatomyError> {
    let built = match read_file(dir)? {
        AnatomyFile::Described(description) => build(&description),
        AnatomyFile::Imported(description) => build_import(&description, dir),
    };
    let anatomy = built.map_err(|source| AnatomyError::InFile {
        path: dir.join(DESCRIPTION_FILE),
        source: Box::new(source),
    })?;
    save(&anatomy, dir)?;
    Ok(anatomy)
}

fn surface_file(dir: &Path, name: &str) -> PathBuf {
    dir.join(format!("{name}.ply"))
}

fn io(path: &Path, what: &'static str) -> impl FnOnce(std::io::Error) -> AnatomyError {
    let path = path.to_path_buf();
    move |source| AnatomyError::Io { path, what, source }
}

fn damaged(path: &Path, what: &str) -> AnatomyError {
    AnatomyError::Damaged { path: path.to_path_buf(), what: what.to_owned() }
}

fn write(path: &Path, bytes: &[u8]) -> Result<(), AnatomyError> {
    let mut temporary = path.as_os_str().to_owned();
    temporary.push(".part");
    let temporary = PathBuf::from(temporary);
    fs::write(&temporary, bytes).map_err(io(&temporary, "cannot be written"))?;
    fs::rename(&temporary, path).map_err(io(path, "cannot be renamed into place"))
}

fn read_lumen(path: &Path, stored: &Stored) -> Result<LumenMesh, AnatomyError> {
    let bytes = fs::read(path).map_err(io(path, "cannot be read"))?;
    let (mesh, vessels) = ply_read(&bytes).map_err(|what| damaged(path, &what))?;
    let count = mesh.triangles.len();
    if vessels.len() != count || stored.arcs_mm.len() != count {
        let what = format!("{count} triangles, {} vessels, {} arcs", vessels.len(), stored.arcs_mm.len());
        return Err(damaged(path, &what));
    }
    if let Some(v) = vessels.iter().find(|v| usize::from(**v) >= stored.tree.branches.len()) {
        return Err(damaged(path, &format!("vessel {v} of {}", stored.tree.branches.len())));
    }
    let labels = vessels
        .iter()
        .zip(&stored.arcs_mm)
        .map(|(v, arcs)| arcs.map(|arc_mm| CornerLabel { vessel: VesselId(u32::from(*v)), arc_mm }))
        .collect();
    Ok(LumenMesh { mesh, labels })
}

/// Binary little-endian PLY, float vertices, triangles, and for the lumen the vessel of each face.
fn ply_bytes(mesh: &Mesh, vessels: Option<&[u16]>) -> Vec<u8> {
    let vessel_line = if vessels.is_some() { "property ushort vessel\n" } else { "" };
    let mut out = format!(
        "ply\nformat binary_little_endian 1.0\ncomment patient frame LPS, mm\nelement vertex {}\nproperty float x\n\
         property float y\nproperty float z\nelement face {}\nproperty list uchar uint vertex_indices\n{vessel_line}end_header\n",
        mesh.vertices_mm.len(),
        mesh.triangles.len()
    )
    .into_bytes();
    for v in &mesh.vertices_mm {
        for c in v {
            out.extend((*c as f32).to_le_bytes());
        }
    }
    for (i, t) in mesh.triangles.iter().enumerate() {
        out.push(3);
        for c in t {
            out.extend(c.to_le_bytes());
        }
        if let Some(v) = vessels {
            out.extend(v[i].to_le_bytes());
        }
    }
    out
}

/// Reads what [`ply_bytes`] writes.
fn ply_read(bytes: &[u8]) -> Result<(Mesh, Vec<u16>), String> {
    const END: &[u8] = b"end_header\n";
    let Some(end) = bytes.windows(END.len()).position(|w| w == END) else {
        return Err("no PLY header".to_owned());
    };
    let header = String::from_utf8_lossy(&bytes[..end]);
    let count = |key: &str| {
        header
            .lines()
            .find_map(|l| l.strip_prefix(key))
            .and_then(|n| n.trim().parse::<usize>().ok())
            .ok_or_else(|| format!("no `{key}` in the PLY header"))
    };
    let (vertices, faces) = (count("element vertex")?, count("element face")?);
    let has_vessel = header.contains("property ushort vessel");
    let face_bytes = if has_vessel { 15_usize } else { 13 };
    let data = &bytes[end + END.len()..];
    let need =
        vertices.checked_mul(12).and_then(|v| faces.checked_mul(face_bytes).and_then(|f| v.checked_add(f)));
    if need != Some(data.len()) {
        return Err(format!("{} bytes of data, {vertices} vertices and {faces} faces named", data.len()));
    }
    let word = |b: &[u8]| [b[0], b[1], b[2], b[3]];
    let (vertex_data, face_data) = data.split_at(vertices * 12);
    let mut mesh = Mesh::default();
    for v in vertex_data.chunks_exact(12) {
        let c: [f64; 3] = std::array::from_fn(|k| f64::from(f32::from_le_bytes(word(&v[4 * k..]))));
        if c.iter().any(|c| !c.is_finite()) {
            return Err("a coordinate is not finite".to_owned());
        }
        mesh.vertices_mm.push(crate::math::Vec3::from(c));
    }
    let mut vessels = Vec::new();
    for f in face_data.chunks_exact(face_bytes) {
        let t: [u32; 3] = std::array::from_fn(|k| u32::from_le_bytes(word(&f[1 + 4 * k..])));
        if f[0] != 3 || t.iter().any(|i| *i as usize >= vertices) {
            return Err("a face that is not a triangle of its vertices".to_owned());
        }
        mesh.triangles.push(t);
        if has_vessel {
            vessels.push(u16::from_le_bytes([f[13], f[14]]));
        }
    }
    Ok((mesh, vessels))
}
