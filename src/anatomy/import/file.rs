//! `anatomy.ron` of an imported anatomy, and the folder that holds it with copies of its sources.

use std::fs;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::{AxisMap, ImportOptions, import};
use crate::anatomy::description::FORMAT;
use crate::anatomy::{Anatomy, AnatomyError, LengthUnit};

/// Folder of the copies of mesh and centerlines, inside the anatomy folder.
const SOURCE_FOLDER: &str = "source";

/// What an imported anatomy is made from; written by `cathnav import`, and may be edited by people.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename = "Imported", deny_unknown_fields)]
pub struct ImportDescription {
    /// File-format number; this program reads 1.
    pub format: u32,
    /// Name, that of the folder.
    pub name: String,
    /// English title.
    pub title: String,
    /// Surface of the lumen, inside the folder.
    pub mesh: String,
    /// Centerlines, inside the folder.
    pub centerlines: Vec<String>,
    /// Unit of the mesh, and of centerlines that name none.
    pub unit: LengthUnit,
    /// Which axes of the files are left, posterior, superior: `x,y,z` or `+y,-z,-x`.
    pub axes: String,
    /// Centerline with the inflow at its free end; none: the widest free end.
    #[serde(default)]
    pub root: Option<String>,
    /// Access sites: name and the centerline at whose free end the sheath enters; none: all free ends of at least 2 mm radius.
    #[serde(default)]
    pub access: Vec<(String, String)>,
    /// Ends this near meet, mm.
    pub join_tolerance_mm: f64,
    /// How far inside the end the sheath tip lies, mm.
    pub sheath_depth_mm: f64,
    /// Hash of mesh and centerlines.
    pub source_hash: String,
}

/// What a person gives to an import.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ImportRequest {
    /// Surface of the lumen.
    pub mesh: PathBuf,
    /// Centerlines.
    pub centerlines: Vec<PathBuf>,
    /// English title; none: the name of the folder.
    pub title: Option<String>,
    /// Unit of the mesh.
    pub unit: LengthUnit,
    /// Axes, as in [`ImportDescription::axes`].
    pub axes: String,
    /// As in [`ImportDescription::root`].
    pub root: Option<String>,
    /// As in [`ImportDescription::access`].
    pub access: Vec<(String, String)>,
}

/// Makes an anatomy folder: sources, description, build. The folder appears whole or not at all.
///
/// # Errors
/// When the folder is there already, when a file cannot be read or written, and what is wrong with mesh and centerlines.
pub fn import_folder(request: &ImportRequest, dir: &Path) -> Result<Anatomy, AnatomyError> {
    if dir.exists() {
        return Err(fault(dir, "is there already; choose another folder or remove it first"));
    }
    let name = dir.file_name().map(|n| n.to_string_lossy().into_owned()).unwrap_or_default();
    if name.is_empty() {
        return Err(fault(dir, "is no name for a folder"));
    }
    let parent = dir.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or_else(|| Path::new("."));
    fs::create_dir_all(parent).map_err(io(parent, "cannot be made"))?;
    let temporary = tempfile::Builder::new()
        .prefix(".import-")
        .tempdir_in(parent)
        .map_err(io(parent, "cannot be written"))?;
    let description = gather(request, &name, temporary.path())?;
    let pretty = ron::ser::PrettyConfig::default()
        .struct_names(true)
        .extensions(ron::extensions::Extensions::IMPLICIT_SOME);
    let text = ron::ser::to_string_pretty(&description, pretty).map_err(|e| fault(dir, &e.to_string()))?;
    let file = temporary.path().join(crate::anatomy::store::DESCRIPTION_FILE);
    let head = "// Made by `cathnav import`. After a change: `cathnav anatomy build FOLDER`.\n";
    fs::write(&file, format!("{head}{text}\n")).map_err(io(&file, "cannot be written"))?;
    let anatomy = build_import(&description, temporary.path())?;
    crate::anatomy::save(&anatomy, temporary.path())?;
    readable(temporary.path()).map_err(io(temporary.path(), "cannot be opened to readers"))?;
    let whole = temporary.keep();
    fs::rename(&whole, dir).map_err(|source| {
        fs::remove_dir_all(&whole).ok();
        AnatomyError::Io { path: dir.to_path_buf(), what: "cannot be renamed into place", source }
    })?;
    Ok(anatomy)
}

/// Temporary folders are private; an anatomy is as readable as any other folder.
#[cfg(unix)]
fn readable(dir: &Path) -> std::io::Result<()> {
    use std::os::unix::fs::PermissionsExt as _;
    fs::set_permissions(dir, fs::Permissions::from_mode(0o755))
}

#[cfg(not(unix))]
fn readable(_dir: &Path) -> std::io::Result<()> {
    Ok(())
}

/// Copies the sources into a folder and describes them.
fn gather(request: &ImportRequest, name: &str, dir: &Path) -> Result<ImportDescription, AnatomyError> {
    let sources = dir.join(SOURCE_FOLDER);
    fs::create_dir_all(&sources).map_err(io(&sources, "cannot be made"))?;
    let mut copies = Vec::new();
    for path in std::iter::once(&request.mesh).chain(&request.centerlines) {
        let file = path.file_name().ok_or_else(|| fault(path, "is no file"))?.to_string_lossy().into_owned();
        let copy = format!("{SOURCE_FOLDER}/{file}");
        if copies.contains(&copy) {
            return Err(fault(path, "has the same file name as another source; rename one of them"));
        }
        let bytes = fs::read(path).map_err(io(path, "cannot be read"))?;
        let to = dir.join(&copy);
        fs::write(&to, bytes).map_err(io(&to, "cannot be written"))?;
        copies.push(copy);
    }
    let options = ImportOptions::default();
    let mesh = copies.remove(0);
    let mut description = ImportDescription {
        format: FORMAT,
        name: name.to_owned(),
        title: request.title.clone().unwrap_or_else(|| name.to_owned()),
        mesh,
        centerlines: copies,
        unit: request.unit,
        axes: if request.axes.is_empty() { "x,y,z".to_owned() } else { request.axes.clone() },
        root: request.root.clone(),
        access: request.access.clone(),
        join_tolerance_mm: options.join_tolerance_mm,
        sheath_depth_mm: options.sheath_depth_mm,
        source_hash: String::new(),
    };
    description.source_hash = source_hash(&description, dir)?;
    Ok(description)
}

/// Builds an imported anatomy from the sources in its folder.
///
/// # Errors
/// When the sources are not those that the description names, and what is wrong with them.
pub fn build_import(description: &ImportDescription, dir: &Path) -> Result<Anatomy, AnatomyError> {
    if description.format != FORMAT {
        return Err(AnatomyError::Value {
            item: description.name.clone(),
            field: "format",
            found: description.format.to_string(),
            allowed: FORMAT.to_string(),
        });
    }
    let found = source_hash(description, dir)?;
    if found != description.source_hash {
        return Err(AnatomyError::Value {
            item: description.name.clone(),
            field: "source_hash",
            found: description.source_hash.clone(),
            allowed: format!("{found}, that of the files; or the files as they were imported"),
        });
    }
    let axes: AxisMap = description.axes.parse()?;
    let options = ImportOptions {
        name: description.name.clone(),
        title: description.title.clone(),
        unit: description.unit,
        axes,
        join_tolerance_mm: description.join_tolerance_mm,
        root: description.root.clone(),
        inflow_ml_per_s: None,
        access: description.access.clone(),
        sheath_depth_mm: description.sheath_depth_mm,
    };
    let centerlines: Vec<PathBuf> = description.centerlines.iter().map(|c| dir.join(c)).collect();
    Ok(import(&dir.join(&description.mesh), &centerlines, &options)?)
}

fn source_hash(description: &ImportDescription, dir: &Path) -> Result<String, AnatomyError> {
    let mut all = Vec::new();
    for file in std::iter::once(&description.mesh).chain(&description.centerlines) {
        let path = dir.join(file);
        all.extend(fs::read(&path).map_err(io(&path, "cannot be read"))?);
    }
    Ok(crate::math::hash::hex_of_bytes(&all))
}

fn io(path: &Path, what: &'static str) -> impl FnOnce(std::io::Error) -> AnatomyError {
    let path = path.to_path_buf();
    move |source| AnatomyError::Io { path, what, source }
}

fn fault(path: &Path, what: &str) -> AnatomyError {
    AnatomyError::Folder { path: path.to_path_buf(), what: what.to_owned() }
}
