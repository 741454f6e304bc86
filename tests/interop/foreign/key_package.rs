//! KeyPackages and LeafNodes, read by hand: what Cobijo asks of them, MLS libraries keep to themselves.

use super::{
    group::{TERMS, WELCOME_SECRET},
    hpke,
    slot::hash,
    suite::POST_QUANTUM,
};

const MLS10: u16 = 1;
const BASIC: u16 = 1;
const MLS_KEY_PACKAGE: u16 = 5;
const SOURCE_KEY_PACKAGE: u8 = 1;
const SOURCE_COMMIT: u8 = 3;

/// What an MLSMessage with a KeyPackage says.
#[derive(Debug)]
pub(crate) struct Package {
    pub(crate) suite: u16,
    pub(crate) init_key: Vec<u8>,
    pub(crate) leaf: Leaf,
    pub(crate) welcome_secret: Option<[u8; 32]>,
}

/// A LeafNode.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Leaf {
    pub(crate) encryption_key: Vec<u8>,
    pub(crate) key: Vec<u8>,
    pub(crate) credential: Vec<u8>,
    /// Of a leaf that came by a KeyPackage.
    pub(crate) lifetime: Option<(u64, u64)>,
    pub(crate) extensions: Vec<u8>,
    pub(crate) capabilities: [Vec<u16>; 5],
    /// SHA-256 of its serialisation.
    pub(crate) hash: [u8; 32],
}

impl Leaf {
    /// Parses a serialised LeafNode.
    pub(crate) fn parse(leaf: &[u8]) -> Option<Self> {
        let mut rest = Tls(leaf);
        Self::take(&mut rest).filter(|_| rest.0.is_empty())
    }

    /// Whether a path leaf keeps what it has to keep.
    pub(crate) fn is_kept_by(&self, path: &Self) -> bool {
        (
            &self.credential,
            &self.key,
            &self.capabilities,
            &self.extensions,
        ) == (
            &path.credential,
            &path.key,
            &path.capabilities,
            &path.extensions,
        )
    }

    fn take(rest: &mut Tls<'_>) -> Option<Self> {
        let whole = rest.0;
        let encryption_key = rest.vector()?.to_vec();
        let key = rest.vector()?.to_vec();
        let basic = rest.u16()? == BASIC;
        let credential = rest.vector()?.to_vec();
        let mut capabilities: [Vec<u16>; 5] = Default::default();
        for list in &mut capabilities {
            *list = rest.u16s()?;
        }
        let mut lifetime = None;
        match rest.u8()? {
            SOURCE_KEY_PACKAGE => lifetime = Some((rest.u64()?, rest.u64()?)),
            SOURCE_COMMIT => drop(rest.vector()?),
            _ => return None,
        }
        let extensions = rest.vector()?.to_vec();
        rest.vector()?;
        let serialised = &whole[..whole.len() - rest.0.len()];
        basic.then(|| Self {
            encryption_key,
            key,
            credential,
            lifetime,
            extensions,
            capabilities,
            hash: hash(&[serialised]),
        })
    }
}

/// A ratchet tree.
#[derive(Debug)]
pub(crate) struct Tree {
    /// Each at its index.
    pub(crate) leaves: Vec<Option<Leaf>>,
    /// Encryption keys of the other nodes.
    pub(crate) parents: Vec<Vec<u8>>,
}

/// Reads a serialised ratchet tree.
pub(crate) fn tree(tree: &[u8]) -> Option<Tree> {
    let mut nodes = Tls(Tls(tree).vector()?);
    let (mut leaves, mut parents) = (Vec::new(), Vec::new());
    let mut is_leaf = true;
    while !nodes.0.is_empty() {
        match (nodes.u8()?, is_leaf) {
            (0, true) => leaves.push(None),
            (0, false) => {}
            (1, true) if nodes.u8()? == 1 => leaves.push(Some(Leaf::take(&mut nodes)?)),
            (1, false) if nodes.u8()? == 2 => {
                parents.push(nodes.vector()?.to_vec());
                for _ in ["parent hash", "unmerged leaves"] {
                    nodes.vector()?;
                }
            }
            _ => return None,
        }
        is_leaf = !is_leaf;
    }
    Some(Tree { leaves, parents })
}

/// The encryption keys of a commit's path, its leaf's first, from a PublicMessage that passed the gate.
pub(crate) fn path_keys(message: &[u8]) -> Option<Vec<Vec<u8>>> {
    let mut rest = Tls(message);
    let _heads = (rest.u16()?, rest.u16()?);
    rest.vector()?;
    let _sender = (rest.u64()?, rest.u8()?, rest.u32()?);
    rest.vector()?;
    rest.u8()?;
    let _proposals = rest.vector()?;
    if rest.u8()? == 0 {
        return Some(Vec::new());
    }
    let mut keys = vec![Leaf::take(&mut rest)?.encryption_key];
    let mut nodes = Tls(rest.vector()?);
    while !nodes.0.is_empty() {
        keys.push(nodes.vector()?.to_vec());
        nodes.vector()?;
    }
    Some(keys)
}

impl Package {
    /// Parses an MLSMessage.
    pub(crate) fn parse(message: &[u8]) -> Option<Self> {
        let mut rest = Tls(message);
        let is_package = rest.u16()? == MLS10 && rest.u16()? == MLS_KEY_PACKAGE;
        Self::take(&mut rest).filter(|_| is_package && rest.0.is_empty())
    }

    /// Parses a bare KeyPackage, as an Add holds it.
    pub(crate) fn parse_bare(package: &[u8]) -> Option<Self> {
        let mut rest = Tls(package);
        Self::take(&mut rest).filter(|_| rest.0.is_empty())
    }

    fn take(rest: &mut Tls<'_>) -> Option<Self> {
        let is_mls10 = rest.u16()? == MLS10;
        let suite = rest.u16()?;
        let init_key = rest.vector()?.to_vec();
        let leaf = Leaf::take(rest)?;
        let mut extensions = Tls(rest.vector()?);
        let mut welcome_secret = None;
        while !extensions.0.is_empty() {
            let (kind, data) = (extensions.u16()?, extensions.vector()?);
            if kind == WELCOME_SECRET {
                welcome_secret = Some(data.try_into().ok()?);
            }
        }
        rest.vector()?;
        is_mls10.then_some(Self {
            suite,
            init_key,
            leaf,
            welcome_secret,
        })
    }

    /// Lifetime, capabilities, welcome secret and keys.
    pub(crate) fn has_profile(&self) -> bool {
        let [versions, suites, extensions, proposals, credentials] =
            self.leaf.capabilities.each_ref().map(|list| {
                list.iter()
                    .copied()
                    .filter(|value| !is_grease(*value))
                    .collect::<Vec<_>>()
            });
        versions == [MLS10]
            && suites == [self.suite]
            && extensions == [TERMS, WELCOME_SECRET]
            && proposals.is_empty()
            && credentials == [BASIC]
            && self.leaf.lifetime == Some((0, u64::MAX))
            && self.welcome_secret.is_some()
            && self.has_usable_keys()
    }

    fn has_usable_keys(&self) -> bool {
        let keys = [&self.init_key, &self.leaf.encryption_key];
        self.suite != POST_QUANTUM.raw_value() || keys.into_iter().all(|key| hpke::is_usable(key))
    }
}

fn is_grease(value: u16) -> bool {
    value & 0x0f0f == 0x0a0a && value >> 8 == value & 0xff
}

/// The presentation language of TLS, as far as needed.
pub(crate) struct Tls<'a>(pub(crate) &'a [u8]);

impl<'a> Tls<'a> {
    fn number<const N: usize>(&mut self) -> Option<[u8; N]> {
        self.0.split_off(..N)?.try_into().ok()
    }

    pub(crate) fn u8(&mut self) -> Option<u8> {
        self.number().map(u8::from_be_bytes)
    }

    pub(crate) fn u16(&mut self) -> Option<u16> {
        self.number().map(u16::from_be_bytes)
    }

    pub(crate) fn u32(&mut self) -> Option<u32> {
        self.number().map(u32::from_be_bytes)
    }

    pub(crate) fn u64(&mut self) -> Option<u64> {
        self.number().map(u64::from_be_bytes)
    }

    /// Bytes behind a length of 1, 2 or 4 bytes.
    pub(crate) fn vector(&mut self) -> Option<&'a [u8]> {
        let first = *self.0.first()?;
        let length = match first >> 6 {
            0 => u32::from(self.u8()?),
            1 => u32::from(self.u16()? & 0x3fff),
            2 => self.u32()? & 0x3fff_ffff,
            _ => return None,
        };
        self.0.split_off(..length as usize)
    }

    fn u16s(&mut self) -> Option<Vec<u16>> {
        let mut list = Tls(self.vector()?);
        let mut values = Vec::new();
        while !list.0.is_empty() {
            values.push(list.u16()?);
        }
        Some(values)
    }
}
