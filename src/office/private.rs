//! What the office writes is its own user's alone: records, attachments, keys and exports are about
//! borrowers.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::Path;

/// Everybody but the owner.
const OTHERS: u32 = 0o077;

/// Whatever the program makes from now on, libraries included, is its owner's alone. To be called
/// before the first thread starts.
pub(super) fn deny_others() {
    rustix::process::umask(rustix::fs::Mode::from_raw_mode(OTHERS));
}

/// Opens a file to write, making it for its owner alone.
pub(super) fn create(path: &Path) -> io::Result<File> {
    OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(path)
}

/// Makes an empty file for its owner alone; one that is there stays as it is.
pub(super) fn create_if_missing(path: &Path) -> io::Result<()> {
    match OpenOptions::new().write(true).create_new(true).mode(0o600).open(path) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => Err(error),
        _ => Ok(()),
    }
}

/// Makes a folder, and those above it, for its owner alone where they are missing.
pub(super) fn create_folder(path: &Path) -> io::Result<()> {
    DirBuilder::new().recursive(true).mode(0o700).create(path)
}

/// Takes a file or folder that is there away from everybody but its owner, and says so.
pub(super) fn tighten(path: &Path) -> io::Result<()> {
    let mode = match fs::metadata(path) {
        Ok(found) => found.permissions().mode() & 0o777,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(error),
    };
    if mode & OTHERS == 0 {
        return Ok(());
    }
    let tightened = fs::set_permissions(path, fs::Permissions::from_mode(mode & !OTHERS));
    let (path, mode) = (path.display(), format!("{mode:o}"));
    match tightened {
        Ok(()) => tracing::warn!(%path, mode, "others had access; now the owner alone has"),
        // Only the owner may change it: that is no reason to stop work.
        Err(error) if error.kind() == io::ErrorKind::PermissionDenied => {
            tracing::warn!(%path, mode, "others have access, and the file is another user's");
        }
        Err(error) => return Err(error),
    }
    Ok(())
}
