//! From MLS's words to the policy's.

use std::collections::BTreeMap;

use mls_rs::{
    MlsMessage, client_builder::MlsConfig, group::proposal::Proposal, mls_rs_codec::MlsEncode,
};

use super::{
    conversation::Conversation,
    group::{CommitData, identity},
    hpke,
    key_package::{Leaf, Package, Tree, path_keys, tree},
    policy::{self, Commit, Newcomer, State, Verdict},
    suite::POST_QUANTUM,
};

impl<C: MlsConfig> Conversation<C> {
    /// The leaves of the epoch.
    pub(super) fn tree(&self) -> BTreeMap<u32, Leaf> {
        (0..)
            .zip(self.nodes().leaves)
            .filter_map(|(index, leaf)| Some((index, leaf?)))
            .collect()
    }

    fn nodes(&self) -> Tree {
        let exported = self.group.mls.export_tree().to_bytes().unwrap();
        tree(&exported).unwrap()
    }

    /// Whether every encryption key that a commit brings is new to the tree, and usable.
    pub(super) fn brings_good_keys(&self, payload: &[u8], message: &MlsMessage) -> Option<bool> {
        let mut keys = path_keys(payload)?;
        let mut init_keys = Vec::new();
        for proposal in message.proposals_by_value() {
            if let Proposal::Add(add) = proposal {
                let package = add.key_package().mls_encode_to_vec().ok()?;
                let package = Package::parse_bare(&package)?;
                keys.push(package.leaf.encryption_key);
                init_keys.push(package.init_key);
            }
        }
        let Tree { leaves, parents } = self.nodes();
        let leaves = leaves.into_iter().flatten().map(|leaf| leaf.encryption_key);
        let known: Vec<_> = parents.into_iter().chain(leaves).collect();
        let is_new = keys.iter().all(|key| !known.contains(key));
        let is_usable = |key: &Vec<u8>| match self.group.mls.cipher_suite() {
            POST_QUANTUM => hpke::is_usable(key),
            _ => key.len() == 32,
        };
        Some(is_new && keys.iter().chain(&init_keys).all(is_usable))
    }

    /// The policy's verdict on a commit that passed the gate.
    pub(super) fn judge(&self, author: u32, message: &MlsMessage, data: CommitData) -> Verdict {
        let terms = self.group.terms().unwrap();
        let tree = self.tree();
        let known = tree.iter().map(|(index, leaf)| {
            let known = policy::Leaf {
                identity: identity(&leaf.credential, &leaf.key, &terms.root).unwrap(),
                key: leaf.key.clone(),
                hash: leaf.hash,
            };
            (*index, known)
        });
        let (mut adds, mut removes) = (Vec::new(), Vec::new());
        for proposal in message.proposals_by_value() {
            match proposal {
                Proposal::Add(add) => {
                    let package = add.key_package().mls_encode_to_vec().unwrap();
                    adds.push(newcomer(
                        &Package::parse_bare(&package).unwrap(),
                        &terms.root,
                    ));
                }
                Proposal::Remove(remove) => removes.push(remove.to_remove()),
                _ => return Verdict::Void("7.2"),
            }
        }
        let path = message.commit_path_leaf_node();
        let path_keeps = path.map(|leaf| {
            let leaf = Leaf::parse(&leaf.mls_encode_to_vec().unwrap()).unwrap();
            tree.get(&author).is_some_and(|old| old.is_kept_by(&leaf))
        });
        let state = State {
            group: self.group.mls.group_id().to_vec(),
            epoch: self.group.mls.current_epoch(),
            leaves: known.collect(),
            desk_serial: self.desk_serial,
            presence: self.presence,
            renewed: self.renewed.clone(),
            terms,
        };
        policy::judge(
            &state,
            &Commit {
                author,
                path_keeps,
                adds,
                removes,
                data,
            },
        )
    }
}

fn newcomer(package: &Package, root: &[u8; 32]) -> Newcomer {
    let leaf = &package.leaf;
    Newcomer {
        key: leaf.key.clone(),
        identity: identity(&leaf.credential, &leaf.key, root),
        lifetime: leaf.lifetime.unwrap(),
        has_welcome_secret: package.welcome_secret.is_some(),
    }
}
