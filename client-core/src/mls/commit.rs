//! Commits: what stands in a commit slot, and what one puts there oneself. [G-7], [G-8]

use cobijo_protocol::{keys::PublicKey, slot::ThreadSecret};
use openmls::prelude::{
    ContentType, LeafNodeIndex, MlsGroup, MlsMessageBodyIn, MlsMessageIn, MlsMessageOut,
    ProcessedMessageContent, Proposal, ProposalOrRefType, ProtocolMessage, Sender, StagedCommit,
    tls_codec::{DeserializeBytes as _, Serialize as _},
};
use openmls_traits::OpenMlsProvider as _;

use super::{
    MlsError,
    key_package::{OfferedKeyPackage, welcome_secret},
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
        let live = self.live(rng).map_err(|_| Fault::Broken)?;
        guard(|| {
            let (message, author) = gate(message, &live.group)?;
            let public = live.group.public_group();
            let processed = public
                .process_message(live.provider.crypto(), message)
                .map_err(|error| verdict::of_public(&error))?;
            let data = processed.aad().to_vec();
            let ProcessedMessageContent::StagedCommitMessage(staged) = processed.into_content()
            else {
                return Err(Fault::Void);
            };
            examined(&live.group, author, data, &staged, root)
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

/// Takes a staged commit apart. Only Adds and Removes, by value, may be in it.
fn examined(
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
                adds.push(Added {
                    key: PublicKey::try_from(node.signature_key().as_slice())
                        .map_err(|_| Fault::Void)?,
                    identity: identify(node, root).map(|(_, identity)| identity),
                    lifetime: (
                        package.life_time().not_before(),
                        package.life_time().not_after(),
                    ),
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
