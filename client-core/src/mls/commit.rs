//! Commits: what stands in a commit slot, and what one puts there oneself. [G-7], [G-8]

use cobijo_protocol::{keys::PublicKey, slot::ThreadSecret};
use openmls::prelude::{
    ContentType, LeafNode, LeafNodeIndex, MlsGroup, MlsMessageBodyIn, MlsMessageIn, MlsMessageOut,
    ProcessedMessageContent, Proposal, ProposalOrRefType, ProtocolMessage, QueuedAddProposal,
    Sender, StagedCommit,
    tls_codec::{DeserializeBytes as _, Serialize as _},
};
use openmls::treesync::EncryptionKey;
use openmls_traits::OpenMlsProvider as _;

use super::{
    MlsError, Suite,
    hpke::is_leaf_key,
    key_package::{OfferedKeyPackage, has_keys, lifetime, welcome_secret},
    path::brings_new_keys,
    provider::LeafSigner,
    state::{MlsState, guard, identify},
    verdict::{self, Fault},
};
use crate::core::{
    policy::{Added, PathLeaf},
    port::Rng,
};

/// A commit that passed the gate and the public checks: not yet the policy.
#[derive(Debug, Clone)]
pub struct Examined {
    /// Its author's leaf.
    pub author: u32,
    /// Its authenticated data.
    pub data: Vec<u8>,
    /// Whom it adds, in order.
    pub adds: Vec<Added>,
    /// The welcome secrets of their KeyPackages, in the same order.
    pub welcome_secrets: Vec<Option<ThreadSecret>>,
    /// Whom it removes.
    pub removes: Vec<u32>,
    /// Its path leaf, where it has a path.
    pub path: Option<PathLeaf>,
}

/// A commit that can be followed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Checked {
    /// Whether it removes this very member: then neither path nor tag has been checked.
    pub removes_me: bool,
}

/// A commit of one's own, pending in the state.
pub struct Built {
    /// The commit, an MLSMessage.
    pub commit: Vec<u8>,
    /// The Welcome, an MLSMessage, where somebody is added.
    pub welcome: Option<Vec<u8>>,
}

impl MlsState {
    /// Examines what stands in a commit slot: the gate, then the checks that need no secret.
    pub(crate) fn examine(
        &mut self,
        message: &[u8],
        root: &PublicKey,
        rng: &mut Rng,
    ) -> Result<Examined, Fault> {
        let suite = self.suite();
        let live = self.live(rng).map_err(|_| Fault::Broken)?;
        guard(|| {
            let (commit, author) = gate(message, &live.group)?;
            let public = live.group.public_group();
            let processed = public
                .process_message(live.provider.crypto(), commit)
                .map_err(|error| verdict::of_public(&error))?;
            let data = processed.aad().to_vec();
            let ProcessedMessageContent::StagedCommitMessage(staged) = processed.into_content()
            else {
                return Err(Fault::Void);
            };
            let added = staged.add_proposals();
            let added: Vec<_> = added.map(|add| leaf_key_of(&add)).collect();
            let leaves = staged.update_path_leaf_node().map(LeafNode::encryption_key);
            if !brings_new_keys(suite, public, message, leaves.into_iter().chain(&added)) {
                return Err(Fault::Void);
            }
            examined(suite, &live.group, author, data, &staged, root)
        })
        .unwrap_or(Err(Fault::Broken))
    }

    /// Checks with this member's secrets that an examined commit can be followed. Changes nothing.
    pub(crate) fn check(&mut self, message: &[u8], rng: &mut Rng) -> Result<Checked, Fault> {
        let live = self.live(rng).map_err(|_| Fault::Broken)?;
        let result = guard(|| {
            let (message, _) = gate(message, &live.group)?;
            let processed = live
                .group
                .process_message(&live.provider, message)
                .map_err(|error| verdict::of_private(&error))?;
            match processed.into_content() {
                ProcessedMessageContent::StagedCommitMessage(staged) => Ok(Checked {
                    removes_me: staged.self_removed(),
                }),
                ProcessedMessageContent::OwnPendingCommit => Ok(Checked { removes_me: false }),
                ProcessedMessageContent::ApplicationMessage(_)
                | ProcessedMessageContent::ProposalMessage(_)
                | ProcessedMessageContent::ExternalJoinProposalMessage(_)
                | ProcessedMessageContent::OwnPrivateMessage => Err(Fault::Broken),
            }
        })
        .unwrap_or(Err(Fault::Broken));
        if result.is_err() {
            self.live = None;
        }
        result
    }

    /// Goes on to the epoch of a checked commit.
    ///
    /// # Errors
    /// [`MlsError`] leaves the state as it was.
    pub fn merge(&mut self, message: &[u8], rng: &mut Rng) -> Result<(), MlsError> {
        self.attempt(rng, |live, _| {
            let (message, _) = gate(message, &live.group).map_err(|_| MlsError)?;
            let processed = live
                .group
                .process_message(&live.provider, message)
                .map_err(|_| MlsError)?;
            match processed.into_content() {
                ProcessedMessageContent::StagedCommitMessage(staged) => live
                    .group
                    .merge_staged_commit(&live.provider, *staged)
                    .map_err(|_| MlsError),
                ProcessedMessageContent::OwnPendingCommit => live
                    .group
                    .merge_pending_commit(&live.provider)
                    .map_err(|_| MlsError),
                ProcessedMessageContent::ApplicationMessage(_)
                | ProcessedMessageContent::ProposalMessage(_)
                | ProcessedMessageContent::ExternalJoinProposalMessage(_)
                | ProcessedMessageContent::OwnPrivateMessage => Err(MlsError),
            }
        })
        .unwrap_or(Err(MlsError))
    }

    /// Builds a commit, which stays pending in the state. `data` is its authenticated data.
    ///
    /// # Errors
    /// [`MlsError`] leaves the state as it was.
    pub fn build(
        &mut self,
        adds: &[OfferedKeyPackage],
        removes: &[u32],
        data: &[u8],
        rng: &mut Rng,
    ) -> Result<Built, MlsError> {
        self.attempt(rng, |live, key| {
            live.group
                .clear_pending_commit(live.provider.storage())
                .map_err(|_| MlsError)?;
            live.group.set_aad(data.to_vec());
            let bundle = live
                .group
                .commit_builder()
                .consume_proposal_store(false)
                .propose_adds(adds.iter().map(|add| add.package().clone()))
                .propose_removals(removes.iter().map(|&leaf| LeafNodeIndex::new(leaf)))
                .load_psks(live.provider.storage())
                .map_err(|_| MlsError)?
                .build(
                    live.provider.rand(),
                    live.provider.crypto(),
                    &LeafSigner(key),
                    |_| true,
                )
                .map_err(|_| MlsError)?
                .stage_commit(&live.provider)
                .map_err(|_| MlsError)?;
            let (commit, welcome, _) = bundle.into_messages();
            let serialize =
                |message: MlsMessageOut| message.tls_serialize_detached().map_err(|_| MlsError);
            Ok(Built {
                commit: serialize(commit)?,
                welcome: welcome.map(serialize).transpose()?,
            })
        })
        .unwrap_or(Err(MlsError))
    }

    /// What the present epoch confirms itself by (RFC 9420 §8.1): only a true commit that leads to it has
    /// the same.
    pub(crate) fn confirmation(&mut self, rng: &mut Rng) -> Option<Vec<u8>> {
        let live = self.live(rng).ok()?;
        live.group.confirmation_tag().tls_serialize_detached().ok()
    }

    /// Forgets a commit of one's own that lost, or was only built to learn a length.
    ///
    /// # Errors
    /// [`MlsError`] where the state can't be written.
    pub fn discard(&mut self, rng: &mut Rng) -> Result<(), MlsError> {
        self.attempt(rng, |live, _| {
            live.group
                .clear_pending_commit(live.provider.storage())
                .map_err(|_| MlsError)
        })
        .unwrap_or(Err(MlsError))
    }
}

/// What a commit says that the epoch behind it confirms itself by.
pub(crate) fn confirmation_of(message: &[u8]) -> Option<Vec<u8>> {
    let message = MlsMessageIn::tls_deserialize_exact_bytes(message).ok()?;
    let MlsMessageBodyIn::PublicMessage(message) = message.extract() else {
        return None;
    };
    message.confirmation_tag()?.tls_serialize_detached().ok()
}

/// A commit slot takes only a PublicMessage, a commit, of a member's leaf, in this group and epoch.
fn gate(message: &[u8], group: &MlsGroup) -> Result<(ProtocolMessage, u32), Fault> {
    let message = MlsMessageIn::tls_deserialize_exact_bytes(message).map_err(|_| Fault::Void)?;
    let MlsMessageBodyIn::PublicMessage(message) = message.extract() else {
        return Err(Fault::Void);
    };
    let Sender::Member(author) = *message.sender() else {
        return Err(Fault::Void);
    };
    let message = ProtocolMessage::from(message);
    let fits = message.content_type() == ContentType::Commit
        && *message.group_id() == *group.group_id()
        && message.epoch() == group.epoch();
    if fits {
        Ok((message, author.u32()))
    } else {
        Err(Fault::Void)
    }
}

fn leaf_key_of(add: &QueuedAddProposal<'_>) -> EncryptionKey {
    let package = add.add_proposal().key_package();
    package.leaf_node().encryption_key().clone()
}

/// Takes a staged commit apart. Only Adds and Removes, by value, may be in it, and no key that nobody can
/// seal to.
fn examined(
    suite: Suite,
    group: &MlsGroup,
    author: u32,
    data: Vec<u8>,
    staged: &StagedCommit,
    root: &PublicKey,
) -> Result<Examined, Fault> {
    let (mut adds, mut welcome_secrets, mut removes) = (Vec::new(), Vec::new(), Vec::new());
    for queued in staged.queued_proposals() {
        if queued.proposal_or_ref_type() != ProposalOrRefType::Proposal {
            return Err(Fault::Void);
        }
        match queued.proposal() {
            Proposal::Add(add) => {
                let package = add.key_package();
                let node = package.leaf_node();
                if !has_keys(suite, package) {
                    return Err(Fault::Void);
                }
                adds.push(Added {
                    key: PublicKey::try_from(node.signature_key().as_slice())
                        .map_err(|_| Fault::Void)?,
                    identity: identify(node, root).map(|(_, identity)| identity),
                    lifetime: lifetime(package),
                });
                welcome_secrets.push(welcome_secret(package));
            }
            Proposal::Remove(remove) => removes.push(remove.removed().u32()),
            Proposal::Update(_)
            | Proposal::PreSharedKey(_)
            | Proposal::ReInit(_)
            | Proposal::ExternalInit(_)
            | Proposal::GroupContextExtensions(_)
            | Proposal::SelfRemove
            | Proposal::Custom(_) => return Err(Fault::Void),
        }
    }
    let path = match staged.update_path_leaf_node() {
        None => None,
        Some(new) => {
            let old = group
                .public_group()
                .leaf(LeafNodeIndex::new(author))
                .ok_or(Fault::Void)?;
            if !is_leaf_key(suite, new.encryption_key()) {
                return Err(Fault::Void);
            }
            Some(PathLeaf {
                keeps_credential: new.credential() == old.credential(),
                keeps_key: new.signature_key() == old.signature_key(),
                keeps_capabilities: new.capabilities() == old.capabilities(),
                keeps_extensions: new.extensions() == old.extensions(),
            })
        }
    };
    Ok(Examined {
        author,
        data,
        adds,
        welcome_secrets,
        removes,
        path,
    })
}

#[cfg(test)]
mod tests {
    use cobijo_protocol::{
        commit::{POLICY, Profile, Terms},
        credential::{Credential, PersonCredential, PersonLeaf},
        keys::SecretKey,
    };
    use openmls::prelude::CredentialWithKey;
    use rand_core::SeedableRng as _;

    use super::*;
    use crate::mls::{
        Suite,
        key_package::OwnKeyPackage,
        provider::{Provider, Values},
    };

    const SUITE: Suite = Suite::PostQuantum;

    /// Two members of one group in one epoch.
    struct Pair {
        rng: Rng,
        root: PublicKey,
        first: MlsState,
        second: MlsState,
    }

    fn leaf(byte: u8) -> (SecretKey, Credential) {
        let (person, key) = (
            SecretKey::from_bytes([byte; 32]),
            SecretKey::from_bytes([byte + 100; 32]),
        );
        let credential = PersonCredential::sign(&person, 1, PersonLeaf::Device, &key.public());
        (key, Credential::Person(credential))
    }

    fn pair(group: &[u8]) -> Pair {
        let mut rng = Rng::seed_from_u64(1);
        let root = SecretKey::from_bytes([9; 32]).public();
        let terms = Terms {
            profile: Profile::Circle,
            policy: POLICY,
            root,
            facilitators: Vec::new(),
            predecessor: None,
        };
        let ((key, credential), (other_key, other)) = (leaf(1), leaf(2));
        let mut first = MlsState::create(SUITE, group, &terms, key, &credential, &mut rng).unwrap();
        let package = OwnKeyPackage::new(SUITE, &other_key, &other, &mut rng).unwrap();
        let offered = OfferedKeyPackage::parse(package.message(), SUITE, &root).unwrap();
        let built = first.build(&[offered], &[], b"", &mut rng).unwrap();
        first.merge(&built.commit, &mut rng).unwrap();
        let welcome = built.welcome.unwrap();
        let second = MlsState::join(&package, other_key, &welcome, &mut rng)
            .unwrap()
            .state;
        Pair {
            rng,
            root,
            first,
            second,
        }
    }

    impl Pair {
        fn examine(&mut self, bytes: &[u8]) -> Result<Examined, Fault> {
            self.second.examine(bytes, &self.root, &mut self.rng)
        }

        fn is_void(&mut self, bytes: &[u8]) -> bool {
            matches!(self.examine(bytes), Err(Fault::Void))
        }

        /// A commit by which somebody outside adds herself.
        #[expect(deprecated, reason = "the short form is enough for one hostile commit")]
        fn external_commit(&mut self) -> Vec<u8> {
            let (key, outsider) = (self.first.key().clone(), leaf(3).0);
            let live = self.first.live(&mut self.rng).unwrap();
            let info = live
                .group
                .export_group_info(live.provider.crypto(), &LeafSigner(&key), true)
                .unwrap();
            let info = info.tls_serialize_detached().unwrap();
            let MlsMessageBodyIn::GroupInfo(info) =
                MlsMessageIn::tls_deserialize_exact_bytes(&info)
                    .unwrap()
                    .extract()
            else {
                panic!("a group info was exported");
            };
            let own = live.group.own_leaf_node().unwrap();
            let (_, commit, _) = MlsGroup::join_by_external_commit(
                &Provider::new(&Values::default(), &mut self.rng),
                &LeafSigner(&outsider),
                None,
                info,
                live.group.configuration(),
                Some(own.capabilities().clone()),
                None,
                b"",
                CredentialWithKey {
                    credential: own.credential().clone(),
                    signature_key: outsider.public().as_bytes().as_slice().into(),
                },
            )
            .unwrap();
            commit.tls_serialize_detached().unwrap()
        }

        /// A message with authenticated data, which no client of ours makes.
        fn message_with_data(&mut self) -> Vec<u8> {
            let key = self.first.key().clone();
            let live = self.first.live(&mut self.rng).unwrap();
            live.group.set_aad(b"data".to_vec());
            let provider = &live.provider;
            let message = live
                .group
                .create_message(provider, &LeafSigner(&key), b"hola");
            message.unwrap().tls_serialize_detached().unwrap()
        }
    }

    /// [G-7]
    #[test]
    fn a_commit_slot_takes_only_a_members_commit_of_this_group_and_epoch() {
        let mut pair = pair(b"one");
        let commit = pair
            .first
            .build(&[], &[], b"data", &mut pair.rng)
            .unwrap()
            .commit;
        assert_eq!(pair.examine(&commit).unwrap().data, b"data");
        let message = pair.second.encrypt(b"hola", &mut pair.rng).unwrap();
        let of_another_group = {
            let mut other = self::pair(b"two");
            other
                .first
                .build(&[], &[], b"", &mut other.rng)
                .unwrap()
                .commit
        };
        let (key, credential) = leaf(3);
        let package = OwnKeyPackage::new(SUITE, &key, &credential, &mut pair.rng).unwrap();
        let with_more = [commit.as_slice(), &[0]].concat();
        for bytes in [
            b"".as_slice(),
            b"no message of MLS",
            &message,
            package.message(),
            &of_another_group,
            &with_more,
            &commit[..commit.len() - 1],
        ] {
            assert!(pair.is_void(bytes));
        }
        pair.second.merge(&commit, &mut pair.rng).unwrap();
        assert!(pair.is_void(&commit), "of an epoch that is over");
    }

    /// What follows would refuse it too: openmls, as long as nobody outside is allowed to commit, and the policy.
    /// [G-7]
    #[test]
    fn the_gate_lets_no_external_commit_through() {
        let mut pair = pair(b"one");
        let external = pair.external_commit();
        let honest = pair.first.build(&[], &[], b"", &mut pair.rng).unwrap();
        let live = pair.second.live(&mut pair.rng).unwrap();
        assert!(gate(&honest.commit, &live.group).is_ok());
        assert!(matches!(gate(&external, &live.group), Err(Fault::Void)));
    }

    /// [G-7]
    #[test]
    fn a_message_slot_takes_only_its_own_leafs_message_and_a_void_one_changes_nothing() {
        let mut pair = pair(b"one");
        let with_data = pair.message_with_data();
        let message = pair.first.encrypt(b"hola", &mut pair.rng).unwrap();
        let commit = pair
            .first
            .build(&[], &[], b"", &mut pair.rng)
            .unwrap()
            .commit;
        let with_more = [message.as_slice(), &[0]].concat();
        for bytes in [b"".as_slice(), &with_data, &commit, &with_more] {
            let decrypted = pair.second.decrypt(bytes, 0, &mut pair.rng);
            assert_eq!(decrypted, Err(Fault::Void));
        }
        let in_another_leafs_slot = pair.second.decrypt(&message, 1, &mut pair.rng);
        assert_eq!(in_another_leafs_slot, Err(Fault::Void));
        let in_its_own = pair.second.decrypt(&message, 0, &mut pair.rng);
        assert_eq!(in_its_own.as_deref(), Ok(b"hola".as_slice()));
    }
}
