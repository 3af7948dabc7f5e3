//! The folders themselves. A trait, so that a test can let the disk fail.

use std::io::{self, Write};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use crate::store::durable::{self, Readers};

/// What is asked of a disk. When a call returns, what it did survives a power loss.
pub trait Disk {
    /// Puts what `write` writes in place of a whole file.
    fn replace(
        &mut self,
        path: &Path,
        readers: Readers,
        write: &mut dyn FnMut(&mut dyn Write) -> io::Result<()>,
    ) -> io::Result<()>;
    /// Makes a folder.
    fn make_folder(&mut self, path: &Path) -> io::Result<()>;
    /// Removes a file, if it is there.
    fn remove(&mut self, path: &Path) -> io::Result<()>;
}

/// A real folder.
#[derive(Debug)]
pub struct Folder(PathBuf);

impl Folder {
    /// Opens the folder, making it if need be.
    pub(super) fn open(path: &Path) -> io::Result<Self> {
        let folder = Self(path.to_owned());
        for inner in [path, &folder.published(), &folder.seeds()] {
            durable::make_folder(inner)?;
        }
        std::fs::set_permissions(folder.seeds(), std::fs::Permissions::from_mode(0o700))?;
        Ok(folder)
    }

    pub(super) fn published(&self) -> PathBuf {
        self.0.join("published")
    }

    pub(super) fn seeds(&self) -> PathBuf {
        self.0.join("seeds")
    }
}

impl Disk for Folder {
    fn replace(
        &mut self,
        path: &Path,
        readers: Readers,
        write: &mut dyn FnMut(&mut dyn Write) -> io::Result<()>,
    ) -> io::Result<()> {
        durable::replace(path, readers, write)
    }

    fn make_folder(&mut self, path: &Path) -> io::Result<()> {
        durable::make_folder(path)
    }

    fn remove(&mut self, path: &Path) -> io::Result<()> {
        durable::remove(path)
    }
}
