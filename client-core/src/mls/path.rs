//! The public keys of a commit's path. openmls compares them with those of leaves alone: a key of a
//! parent node that comes again would stop everybody else, who would hold it twice. [G-21]

use std::collections::BTreeSet;

use openmls::{
    prelude::{
        PublicGroup,
        tls_codec::{DeserializeBytes, Error, Serialize as _, VLBytes},
    },
    treesync::EncryptionKey,
};

use super::{
    Suite,
    hpke::{is_key, key_bytes},
};

/// `LeafNodeSource` of a KeyPackage's and of a commit's leaf (RFC 9420 §7.2).
const OF_KEY_PACKAGE: u8 = 1;
const OF_COMMIT: u8 = 3;

/// Whether every key that a commit brings, of its path's nodes and of `leaves`, is new in the group, and
/// somebody can seal to it. `message` is a commit that openmls found well-formed.
pub(super) fn brings_new_keys<'a>(
    suite: Suite,
    group: &PublicGroup,
    message: &[u8],
    leaves: impl Iterator<Item = &'a EncryptionKey>,
) -> bool {
    let (Some(path), Some(known)) = (path_keys(message), tree_keys(group)) else {
        return false;
    };
    let leaves: Option<Vec<_>> = leaves.map(key_bytes).collect();
    let Some(leaves) = leaves else {
        return false;
    };
    let is_new = |key: &Vec<u8>| !known.contains(key);
    path.iter().chain(&leaves).all(is_new) && path.iter().all(|key| is_key(suite, key))
}

/// All encryption keys of the present tree.
fn tree_keys(group: &PublicGroup) -> Option<BTreeSet<Vec<u8>>> {
    let tree = group.treesync();
    let leaves = tree
        .full_leaves()
        .map(|(_, leaf)| key_bytes(leaf.encryption_key()));
    let parents = tree.full_parents().map(|(_, parent)| {
        let bytes = parent.tls_serialize_detached().ok()?;
        Reader(&bytes).bytes().ok()
    });
    leaves.chain(parents).collect()
}

/// The keys of the parent nodes in the path of a commit; none where it has no path.
fn path_keys(message: &[u8]) -> Option<Vec<Vec<u8>>> {
    Reader(message).path_keys().ok()
}

/// Reads the encoding of RFC 9420 field by field.
struct Reader<'a>(&'a [u8]);

impl Reader<'_> {
    fn take<T: DeserializeBytes>(&mut self) -> Result<T, Error> {
        let (value, rest) = T::tls_deserialize_bytes(self.0)?;
        self.0 = rest;
        Ok(value)
    }

    fn bytes(&mut self) -> Result<Vec<u8>, Error> {
        Ok(self.take::<VLBytes>()?.as_slice().to_vec())
    }

    fn skip_bytes(&mut self, fields: usize) -> Result<(), Error> {
        (0..fields).try_for_each(|_| self.take::<VLBytes>().map(|_| ()))
    }

    /// An MLSMessage that holds a member's PublicMessage with a commit (RFC 9420 §6, §12.4).
    fn path_keys(&mut self) -> Result<Vec<Vec<u8>>, Error> {
        let (_version, _wire_format): (u16, u16) = (self.take()?, self.take()?);
        self.skip_bytes(1)?; // group id
        let _epoch: u64 = self.take()?;
        let (_member, _leaf): (u8, u32) = (self.take()?, self.take()?);
        self.skip_bytes(1)?; // authenticated data
        let _commit: u8 = self.take()?;
        self.skip_bytes(1)?; // proposals
        if self.take::<u8>()? == 0 {
            return Ok(Vec::new());
        }
        self.skip_leaf()?;
        let nodes = self.bytes()?;
        let mut nodes = Reader(&nodes);
        let mut keys = Vec::new();
        while !nodes.0.is_empty() {
            keys.push(nodes.bytes()?);
            nodes.skip_bytes(1)?; // sealed path secrets
        }
        Ok(keys)
    }

    /// A LeafNode (RFC 9420 §7.2).
    fn skip_leaf(&mut self) -> Result<(), Error> {
        self.skip_bytes(2)?; // encryption key, signature key
        let _credential_type: u16 = self.take()?;
        self.skip_bytes(1)?; // identity
        self.skip_bytes(5)?; // capabilities
        match self.take::<u8>()? {
            OF_KEY_PACKAGE => {
                let (_not_before, _not_after): (u64, u64) = (self.take()?, self.take()?);
            }
            OF_COMMIT => self.skip_bytes(1)?, // parent hash
            _ => {}
        }
        self.skip_bytes(2) // extensions, signature
    }
}
