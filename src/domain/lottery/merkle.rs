//! The Merkle tree over entrants, in the shape of RFC 6962 §2.1: leaves and inner nodes are hashed
//! with different first bytes, and a tree of n leaves is split at the largest power of two below n.

use serde::{Deserialize, Serialize};

use crate::domain::digest::Digest;

/// Leaves whose hashes are not kept: a proof hashes one such block again. A power of two.
const BLOCK: usize = 1_024;

/// Longest path believed: no tree is higher.
const PATH_MAX: usize = 64;

fn leaf(number: u64) -> Digest {
    Digest::of(&[&[0], &number.to_be_bytes()])
}

fn node(left: Digest, right: Digest) -> Digest {
    Digest::of(&[&[1], &left.0, &right.0])
}

/// The largest power of two below `count`, which is at least 2.
const fn split(count: usize) -> usize {
    1 << (usize::BITS - 1 - (count - 1).leading_zeros())
}

/// The root over hashes of subtrees of one size, of which the last may be smaller.
fn root(hashes: &[Digest]) -> Digest {
    match hashes {
        [] => Digest::of(&[]),
        [one] => *one,
        more => {
            let (left, right) = more.split_at(split(more.len()));
            node(root(left), root(right))
        }
    }
}

/// What has to be known beside `hashes[index]` to compute the root, from below upwards.
fn path(hashes: &[Digest], index: usize, found: &mut Vec<Digest>) {
    if hashes.len() < 2 {
        return;
    }
    let (left, right) = hashes.split_at(split(hashes.len()));
    if index < left.len() {
        path(left, index, found);
        found.push(root(right));
    } else {
        path(right, index - left.len(), found);
        found.push(root(left));
    }
}

fn leaves(numbers: &[u64]) -> Vec<Digest> {
    numbers.iter().map(|number| leaf(*number)).collect()
}

/// Roots of whole blocks are nodes of the tree, because a block is a power of two.
fn blocks(entrants: &[u64]) -> Vec<Digest> {
    entrants.chunks(BLOCK).map(|block| root(&leaves(block))).collect()
}

/// The root over these numbers in this order. Of nobody it is the digest of nothing.
pub fn entrants_root(entrants: &[u64]) -> Digest {
    root(&blocks(entrants))
}

/// The tree over one lottery's entrants, to make proofs from: 32 kB beside the numbers for a
/// million of them, and about 2000 hashes a proof.
#[derive(Clone, Debug)]
pub struct Tree {
    entrants: Vec<u64>,
    blocks: Vec<Digest>,
}

impl Tree {
    /// The tree over these numbers, ascending.
    pub fn new(entrants: Vec<u64>) -> Self {
        let blocks = blocks(&entrants);
        Self { entrants, blocks }
    }

    /// Its root.
    pub fn root(&self) -> Digest {
        root(&self.blocks)
    }

    /// The numbers it is over.
    pub fn entrants(&self) -> &[u64] {
        &self.entrants
    }

    /// The proof that a number is among the entrants; `None` when it is not.
    pub fn proof(&self, number: u64) -> Option<InclusionProof> {
        let index = self.entrants.binary_search(&number).ok()?;
        let block = self.entrants.chunks(BLOCK).nth(index / BLOCK)?;
        let mut found = Vec::new();
        path(&leaves(block), index % BLOCK, &mut found);
        path(&self.blocks, index / BLOCK, &mut found);
        let (index, entrants) = (index as u64, self.entrants.len() as u64);
        Some(InclusionProof { number, index, entrants, path: found })
    }
}

/// Proof that one number was among the entrants, for whoever has only the root.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct InclusionProof {
    /// The ticket's number.
    pub number: u64,
    /// How many entrants have a smaller one.
    pub index: u64,
    /// How many entrants there are.
    pub entrants: u64,
    /// Hashes of the neighbouring subtrees, from the leaf upwards.
    pub path: Vec<Digest>,
}

impl InclusionProof {
    /// Whether the proof leads to this root (RFC 9162 §2.1.3.2).
    pub fn leads_to(&self, root: Digest) -> bool {
        if self.index >= self.entrants || self.path.len() > PATH_MAX {
            return false;
        }
        let (mut at, mut last, mut hash) = (self.index, self.entrants - 1, leaf(self.number));
        for beside in &self.path {
            if last == 0 {
                return false;
            }
            if at & 1 == 1 || at == last {
                hash = node(*beside, hash);
                // The last subtree of a level has no neighbour until it is a right one.
                while at & 1 == 0 && at != 0 {
                    (at, last) = (at >> 1, last >> 1);
                }
            } else {
                hash = node(hash, *beside);
            }
            (at, last) = (at >> 1, last >> 1);
        }
        last == 0 && hash == root
    }
}
