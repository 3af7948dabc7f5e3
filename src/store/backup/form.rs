//! What a backup looks like: names of parts, the manifest, the seal.

use std::path::{Component, Path, PathBuf};

use aws_lc_rs::digest::{Context, SHA256};
use serde::{Deserialize, Serialize};

use crate::domain::digest::Digest;

/// The only format there is so far.
pub const FORMAT: u32 = 1;
/// The last entry of the archive.
pub const MANIFEST: &str = "manifest.json";
/// Longest manifest read, in bytes.
pub const MANIFEST_MAX: u64 = 64 << 20;
/// Pieces of the account store are `accounts/00000000` and so on.
pub const ACCOUNTS: &str = "accounts";
/// Longest piece read, in bytes.
pub const PIECE_MAX: u64 = 64 << 20;

/// What a backup says of itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Manifest {
    /// Its format.
    pub format: u32,
    /// The program that made it: version and commit.
    pub program: String,
    /// When it was begun, in milliseconds since the epoch.
    pub made_ms: u64,
    /// How many accounts there are in it.
    pub accounts: u64,
    /// Whether the secrets are in it.
    pub secrets: bool,
    /// Everything else in it, in its order.
    pub parts: Vec<Part>,
}

/// One entry of the archive.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Part {
    /// Its name: where it goes, below the server's folder.
    pub name: String,
    /// Its length.
    pub bytes: u64,
    /// The digest of its bytes.
    pub sha256: Digest,
}

/// Where a part goes below the server's folder; `None`: no backup of ours has such a part.
pub fn place(name: &str) -> Option<PathBuf> {
    let path = Path::new(name);
    let mut depth = 0;
    for part in path.components() {
        depth += 1;
        if !matches!(part, Component::Normal(_)) || depth > 4 {
            return None;
        }
    }
    let is_ours = ["queue/line.", "lottery/published/", "lottery/seeds/", "audit/audit-"]
        .iter()
        .any(|start| name.starts_with(start));
    (is_ours || name == "secrets.toml").then(|| path.to_owned())
}

/// Bytes of the seal behind the archive.
pub const SEAL_BYTES: usize = 58;

/// An empty gzip member whose extra field (RFC 1952 §2.3.1.1, subfield "AR") is the digest of
/// everything before it.
pub fn seal(before: &Digest) -> [u8; SEAL_BYTES] {
    let mut bytes = [0; SEAL_BYTES];
    let (head, rest) = bytes.split_at_mut(16);
    // Magic, deflate, "extra", no time, no flags, any system; 36 bytes extra, 32 of them the digest.
    head.copy_from_slice(&[0x1f, 0x8b, 8, 4, 0, 0, 0, 0, 0, 255, 36, 0, b'A', b'R', 32, 0]);
    let (digest, rest) = rest.split_at_mut(32);
    digest.copy_from_slice(&before.0);
    // An empty deflate block; checksum and length of nothing are noughts.
    if let Some(block) = rest.first_mut() {
        *block = 3;
    }
    bytes
}

/// Digests what passes.
pub struct Digesting<T> {
    inner: T,
    context: Context,
    bytes: u64,
}

impl<T> Digesting<T> {
    pub fn new(inner: T) -> Self {
        Self { inner, context: Context::new(&SHA256), bytes: 0 }
    }

    /// What is beneath, how much passed, and its digest.
    pub fn finish(self) -> (T, u64, Digest) {
        let mut digest = Digest::ZERO;
        digest.0.copy_from_slice(self.context.finish().as_ref());
        (self.inner, self.bytes, digest)
    }

    fn passed(&mut self, bytes: &[u8]) {
        self.context.update(bytes);
        self.bytes += bytes.len() as u64;
    }
}

impl<T: std::io::Read> std::io::Read for Digesting<T> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let length = self.inner.read(buffer)?;
        self.passed(buffer.get(..length).unwrap_or_default());
        Ok(length)
    }
}

impl<T: std::io::Write> std::io::Write for Digesting<T> {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        let length = self.inner.write(bytes)?;
        self.passed(bytes.get(..length).unwrap_or_default());
        Ok(length)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        self.inner.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_stay_below_the_folder() {
        for name in ["queue/line.log", "lottery/published/a/order.txt", "secrets.toml"] {
            assert_eq!(place(name), Some(PathBuf::from(name)));
        }
        for name in [
            "/etc/passwd",
            "../secrets.toml",
            "queue/line.log/../../../x",
            "lottery/published/../../../x",
            "config.toml",
            "",
            "queue/journal/1",
        ] {
            assert_eq!(place(name), None, "{name}");
        }
    }

    #[test]
    fn a_seal_is_an_empty_member() {
        let sealed = seal(&Digest::of(&[b"archive"]));
        let mut member = flate2::bufread::GzDecoder::new(&sealed[..]);
        let mut nothing = Vec::new();
        std::io::Read::read_to_end(&mut member, &mut nothing).unwrap();
        assert!(nothing.is_empty() && member.into_inner().is_empty(), "all of it was read");
    }
}
