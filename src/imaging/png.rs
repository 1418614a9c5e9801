//! PNG files: written beside the target, then renamed, so a file is never half there.

use std::io::Write as _;
use std::path::{Path, PathBuf};

use super::Frame;

/// A picture could not be written.
#[derive(Debug, thiserror::Error)]
pub enum ImageError {
    /// The file system said no.
    #[error("cannot write {}: {source}", path.display())]
    Io {
        /// File.
        path: PathBuf,
        /// Cause.
        source: std::io::Error,
    },
    /// The encoder said no.
    #[error("cannot encode a picture of {columns} x {rows}: {source}")]
    Encode {
        /// Width.
        columns: usize,
        /// Height.
        rows: usize,
        /// Cause.
        source: png::EncodingError,
    },
}

/// The bytes of an 8-bit gray PNG.
pub fn encode_png(frame: &Frame) -> Result<Vec<u8>, ImageError> {
    encode(frame.columns, frame.rows, png::ColorType::Grayscale, &frame.gray)
}

/// The bytes of an 8-bit PNG.
pub(super) fn encode(
    columns: usize,
    rows: usize,
    color: png::ColorType,
    pixels: &[u8],
) -> Result<Vec<u8>, ImageError> {
    let failed = |source| ImageError::Encode { columns, rows, source };
    let mut bytes = Vec::new();
    let mut encoder = png::Encoder::new(&mut bytes, columns as u32, rows as u32);
    encoder.set_color(color);
    encoder.set_depth(png::BitDepth::Eight);
    encoder.set_compression(png::Compression::Fast);
    let mut writer = encoder.write_header().map_err(failed)?;
    writer.write_image_data(pixels).map_err(failed)?;
    writer.finish().map_err(failed)?;
    Ok(bytes)
}

/// Writes an 8-bit gray PNG; the folder must exist.
pub fn write_png(frame: &Frame, path: &Path) -> Result<(), ImageError> {
    let failed = |source| ImageError::Io { path: path.to_path_buf(), source };
    let bytes = encode_png(frame)?;
    let folder = path.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let mut file = tempfile::NamedTempFile::new_in(folder).map_err(failed)?;
    file.write_all(&bytes).map_err(failed)?;
    file.persist(path).map_err(|e| failed(e.error))?;
    Ok(())
}
