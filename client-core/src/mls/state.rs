//! One group's MLS state (RFC 9420), with the profile of the design. [G-2], [G-7]

use std::panic::{AssertUnwindSafe, catch_unwind};

use cobijo_protocol::{
    cbor,
    commit::{EXPORTER_LABEL, TERMS_EXTENSION, Terms},
    credential::{Credential, Identity},
    keys::{PublicKey, SecretKey},
    slot::ThreadSecret,
};
use openmls::prelude::{
    BasicCredential, ContentType, Extension, ExtensionType, Extensions, GroupContext, GroupId,
    LeafNode, LeafNodeIndex, Lifetime, MlsGroup, MlsGroupJoinConfig, MlsMessageBodyIn,
    MlsMessageIn, MlsMessageOut, PURE_PLAINTEXT_WIRE_FORMAT_POLICY, ProcessedMessageContent,
    Proposal, ProposalOrRefType, ProtocolMessage, RequiredCapabilitiesExtension, Sender,
    SenderRatchetConfiguration, StagedCommit, StagedWelcome, UnknownExtension,
    tls_codec::{DeserializeBytes as _, Serialize as _},
};
use openmls_traits::OpenMlsProvider as _;
use serde::{Deserialize, Serialize};
use serde_bytes::ByteBuf;
use sha2::{Digest, Sha256};

use super::{
    MlsError, Suite,
    key_package::{OfferedKeyPackage, OwnKeyPackage, welcome_secret},
    provider::{LeafSigner, Provider, Values, capabilities, credential_with_key},
    verdict::{self, Fault},
};
use crate::core::port::Rng;

/// Generations of a sender that may come out of order.
const OUT_OF_ORDER: u32 = 20;
/// Generations of a sender that may be skipped.
const FORWARD: u32 = 1000;

/// The MLS state of one group: what is saved, and a live copy.
#[derive(Serialize, Deserialize)]
pub struct MlsState {
    suite: Suite,
    group: ByteBuf,
    key: SecretKey,
    values: Values,
    #[serde(skip)]
    live: Option<Live>,
}

struct Live {
    provider: Provider,
    group: MlsGroup,
}

/// What is known of an epoch.
#[derive(Clone, PartialEq, Eq)]
pub struct EpochFacts {
    /// Number of the epoch.
    pub epoch: u64,
    /// The thread secret that it gives.
    pub secret: ThreadSecret,
    /// The own leaf's index.
    pub own_leaf: u32,
    /// Its members, by index.
    pub leaves: Vec<LeafFacts>,
    /// Its authenticator (RFC 9420 §8.7).
    pub authenticator: Vec<u8>,
}

/// What is known of a leaf.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LeafFacts {
    /// Index in the tree.
    pub index: u32,
    /// Signature key.
    pub key: PublicKey,
    /// Who it is, where its credential is vouched for.
    pub identity: Option<Identity>,
    /// SHA-256 of the LeafNode.
    pub node_hash: [u8; 32],
}

/// A commit that passed the gate and the public checks: not yet the policy.
#[derive(Debug, Clone)]
pub struct Examined {
    /// Its author's leaf.
    pub author: u32,
    /// Its authenticated data.
    pub data: Vec<u8>,
    /// Whom it adds, in order.
    pub adds: Vec<AddFacts>,
    /// Whom it removes.
    pub removes: Vec<u32>,
    /// Its path leaf, where it has a path.
    pub path: Option<PathFacts>,
}

/// What is known of an added leaf.
#[derive(Debug, Clone)]
pub struct AddFacts {
    /// Signature key.
    pub key: PublicKey,
    /// Who it is, where its credential is vouched for.
    pub identity: Option<Identity>,
    /// The welcome secret of its KeyPackage.
    pub welcome_secret: Option<ThreadSecret>,
}

/// What a path leaf keeps of the leaf that it replaces.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PathFacts {
    /// The credential.
    pub keeps_credential: bool,
    /// The signature key.
    pub keeps_key: bool,
    /// The capabilities.
    pub keeps_capabilities: bool,
    /// The extensions.
    pub keeps_extensions: bool,
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

/// Who made a Welcome, and for which terms.
pub struct Joined {
    /// The state at the joined epoch.
    pub state: MlsState,
    /// The group's terms.
    pub terms: Terms,
    /// The leaf that signed the GroupInfo.
    pub signer: u32,
}

impl MlsState {
    /// Makes a group of one.
    ///
    /// # Errors
    /// [`MlsError`] where openmls refuses.
    pub fn create(
        suite: Suite,
        group: &[u8],
        terms: &Terms,
        key: SecretKey,
        credential: &Credential,
        rng: &mut Rng,
    ) -> Result<Self, MlsError> {
        let provider = Provider::new(&Values::new(), rng);
        MlsGroup::builder()
            .with_group_id(GroupId::from_slice(group))
            .ciphersuite(suite.ciphersuite())
            .with_wire_format_policy(PURE_PLAINTEXT_WIRE_FORMAT_POLICY)
            .max_past_epochs(0)
            .sender_ratchet_configuration(SenderRatchetConfiguration::new(OUT_OF_ORDER, FORWARD))
            .use_ratchet_tree_extension(true)
            .lifetime(Lifetime::init(0, u64::MAX))
            .with_capabilities(capabilities(suite))
            .with_group_context_extensions(extensions(terms)?)
            .build(
                &provider,
                &LeafSigner(&key),
                credential_with_key(&key, cbor::encode(credential)),
            )
            .map_err(|_| MlsError)?;
        Ok(Self {
            suite,
            group: ByteBuf::from(group),
            key,
            values: provider.values()?,
            live: None,
        })
    }

    /// Joins from a Welcome, on a copy of the KeyPackage's private parts: they survive a failure.
    ///
    /// # Errors
    /// [`MlsError`] for anything that isn't a Welcome for this KeyPackage to a group of this profile.
    pub fn join(
        own: &OwnKeyPackage,
        key: SecretKey,
        welcome: &[u8],
        rng: &mut Rng,
    ) -> Result<Joined, MlsError> {
        guard(|| {
            let provider = Provider::new(&own.values, rng);
            let message =
                MlsMessageIn::tls_deserialize_exact_bytes(welcome).map_err(|_| MlsError)?;
            let MlsMessageBodyIn::Welcome(welcome) = message.extract() else {
                return Err(MlsError);
            };
            let staged = StagedWelcome::build_from_welcome(&provider, &join_config(), welcome)
                .map_err(|_| MlsError)?
                .skip_lifetime_validation()
                .build()
                .map_err(|_| MlsError)?;
            let terms = terms_of(staged.group_context())?;
            let signer = staged.welcome_sender_index().u32();
            let group = staged.into_group(&provider).map_err(|_| MlsError)?;
            if group.ciphersuite() != own.suite.ciphersuite() {
                return Err(MlsError);
            }
            let id = ByteBuf::from(group.group_id().as_slice());
            let state = Self {
                suite: own.suite,
                group: id,
                key,
                values: provider.values()?,
                live: None,
            };
            Ok(Joined {
                state,
                terms,
                signer,
            })
        })
        .unwrap_or(Err(MlsError))
    }

    /// The group's id.
    pub fn group(&self) -> &[u8] {
        &self.group
    }

    /// The group's suite.
    pub fn suite(&self) -> Suite {
        self.suite
    }

    /// The own leaf's signing key.
    pub fn key(&self) -> &SecretKey {
        &self.key
    }

    /// What is known of the present epoch.
    ///
    /// # Errors
    /// [`MlsError`] where the state can't be read.
    pub fn facts(&mut self, root: &PublicKey, rng: &mut Rng) -> Result<EpochFacts, MlsError> {
        let Live { provider, group } = self.live(rng)?;
        let secret = group
            .export_secret(provider.crypto(), EXPORTER_LABEL, &[], 32)
            .map_err(|_| MlsError)?;
        let leaves = group
            .members()
            .map(|member| {
                let node = group.public_group().leaf(member.index).ok_or(MlsError)?;
                leaf_facts(member.index, node, root)
            })
            .collect::<Result<_, _>>()?;
        Ok(EpochFacts {
            epoch: group.epoch().as_u64(),
            secret: ThreadSecret::try_from(secret.as_slice()).map_err(|_| MlsError)?,
            own_leaf: group.own_leaf_index().u32(),
            leaves,
            authenticator: group.epoch_authenticator().as_slice().to_vec(),
        })
    }

    /// Encrypts an application message: a PrivateMessage with empty authenticated data.
    ///
    /// # Errors
    /// [`MlsError`] where openmls refuses.
    pub fn encrypt(&mut self, payload: &[u8], rng: &mut Rng) -> Result<Vec<u8>, MlsError> {
        self.attempt(rng, |live, key| {
            live.group.set_aad(Vec::new());
            let message = live
                .group
                .create_message(&live.provider, &LeafSigner(key), payload)
                .map_err(|_| MlsError)?;
            message.tls_serialize_detached().map_err(|_| MlsError)
        })
        .unwrap_or(Err(MlsError))
    }

    /// Decrypts what stands in a message slot of `leaf`. Anything but a PrivateMessage with an
    /// application message of this very leaf and epoch, without authenticated data, is void and leaves
    /// every ratchet where it was. [G-7]
    pub(crate) fn decrypt(
        &mut self,
        message: &[u8],
        leaf: u32,
        rng: &mut Rng,
    ) -> Result<Vec<u8>, Fault> {
        self.attempt(rng, |live, _| {
            let message =
                MlsMessageIn::tls_deserialize_exact_bytes(message).map_err(|_| Fault::Void)?;
            let MlsMessageBodyIn::PrivateMessage(message) = message.extract() else {
                return Err(Fault::Void);
            };
            let fits = message.content_type() == ContentType::Application
                && message.aad().is_empty()
                && *message.group_id() == *live.group.group_id()
                && message.epoch() == live.group.epoch();
            if !fits {
                return Err(Fault::Void);
            }
            let processed = live
                .group
                .process_message(&live.provider, ProtocolMessage::PrivateMessage(message))
                .map_err(|error| verdict::of_message(&error))?;
            if *processed.sender() != Sender::Member(LeafNodeIndex::new(leaf)) {
                return Err(Fault::Void);
            }
            match processed.into_content() {
                ProcessedMessageContent::ApplicationMessage(message) => Ok(message.into_bytes()),
                ProcessedMessageContent::ProposalMessage(_)
                | ProcessedMessageContent::ExternalJoinProposalMessage(_)
                | ProcessedMessageContent::StagedCommitMessage(_)
                | ProcessedMessageContent::OwnPendingCommit
                | ProcessedMessageContent::OwnPrivateMessage => Err(Fault::Void),
            }
        })
        .unwrap_or(Err(Fault::Broken))
    }

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

    fn live(&mut self, rng: &mut Rng) -> Result<&mut Live, MlsError> {
        if self.live.is_none() {
            let provider = Provider::new(&self.values, rng);
            let group = MlsGroup::load(provider.storage(), &GroupId::from_slice(&self.group))
                .map_err(|_| MlsError)?
                .ok_or(MlsError)?;
            self.live = Some(Live { provider, group });
        }
        self.live.as_mut().ok_or(MlsError)
    }

    /// Runs `work` on the live copy: saved where it succeeds, dropped where it doesn't.
    fn attempt<T, E>(
        &mut self,
        rng: &mut Rng,
        work: impl FnOnce(&mut Live, &SecretKey) -> Result<T, E>,
    ) -> Result<Result<T, E>, MlsError> {
        let key = self.key.clone();
        let live = self.live(rng)?;
        let result = guard(|| work(live, &key));
        match result {
            Ok(Ok(value)) => {
                self.values = live.provider.values()?;
                Ok(Ok(value))
            }
            Ok(Err(error)) => {
                self.live = None;
                Ok(Err(error))
            }
            Err(panicked) => {
                self.live = None;
                Err(panicked)
            }
        }
    }
}

impl Clone for MlsState {
    fn clone(&self) -> Self {
        Self {
            suite: self.suite,
            group: self.group.clone(),
            key: self.key.clone(),
            values: self.values.clone(),
            live: None,
        }
    }
}

impl std::fmt::Debug for MlsState {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("MlsState").finish_non_exhaustive()
    }
}

impl std::fmt::Debug for EpochFacts {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("EpochFacts").finish_non_exhaustive()
    }
}

/// Who a leaf is, if its credential is vouched for under `root`.
pub(super) fn identify(node: &LeafNode, root: &PublicKey) -> Option<(PublicKey, Identity)> {
    let key = PublicKey::try_from(node.signature_key().as_slice()).ok()?;
    let credential = BasicCredential::try_from(node.credential().clone()).ok()?;
    let identity = Credential::identify(credential.identity(), &key, root).ok()?;
    Some((key, identity))
}

fn leaf_facts(
    index: LeafNodeIndex,
    node: &LeafNode,
    root: &PublicKey,
) -> Result<LeafFacts, MlsError> {
    let bytes = node.tls_serialize_detached().map_err(|_| MlsError)?;
    Ok(LeafFacts {
        index: index.u32(),
        key: PublicKey::try_from(node.signature_key().as_slice()).map_err(|_| MlsError)?,
        identity: identify(node, root).map(|(_, identity)| identity),
        node_hash: Sha256::digest(&bytes).into(),
    })
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
    let (mut adds, mut removes) = (Vec::new(), Vec::new());
    for queued in staged.queued_proposals() {
        if queued.proposal_or_ref_type() != ProposalOrRefType::Proposal {
            return Err(Fault::Void);
        }
        match queued.proposal() {
            Proposal::Add(add) => {
                let package = add.key_package();
                let node = package.leaf_node();
                adds.push(AddFacts {
                    key: PublicKey::try_from(node.signature_key().as_slice())
                        .map_err(|_| Fault::Void)?,
                    identity: identify(node, root).map(|(_, identity)| identity),
                    welcome_secret: welcome_secret(package),
                });
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
            Some(PathFacts {
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
        removes,
        path,
    })
}

fn join_config() -> MlsGroupJoinConfig {
    MlsGroupJoinConfig::builder()
        .wire_format_policy(PURE_PLAINTEXT_WIRE_FORMAT_POLICY)
        .max_past_epochs(0)
        .sender_ratchet_configuration(SenderRatchetConfiguration::new(OUT_OF_ORDER, FORWARD))
        .use_ratchet_tree_extension(true)
        .build()
}

fn extensions(terms: &Terms) -> Result<Extensions<GroupContext>, MlsError> {
    let terms_type = ExtensionType::Unknown(TERMS_EXTENSION);
    let required = RequiredCapabilitiesExtension::new(&[terms_type], &[], &[]);
    let terms = UnknownExtension(cbor::encode(terms));
    Extensions::from_vec(vec![
        Extension::RequiredCapabilities(required),
        Extension::Unknown(TERMS_EXTENSION, terms),
    ])
    .map_err(|_| MlsError)
}

/// The terms, if the group requires them of every member. openmls doesn't check this at creation.
fn terms_of(context: &GroupContext) -> Result<Terms, MlsError> {
    let extensions = context.extensions();
    let required = extensions.required_capabilities().ok_or(MlsError)?;
    if !required
        .extension_types()
        .contains(&ExtensionType::Unknown(TERMS_EXTENSION))
    {
        return Err(MlsError);
    }
    let terms = extensions.unknown(TERMS_EXTENSION).ok_or(MlsError)?;
    cbor::decode(&terms.0).map_err(|_| MlsError)
}

/// A panic inside openmls is an error of ours, never the end of the process.
fn guard<T>(work: impl FnOnce() -> T) -> Result<T, MlsError> {
    catch_unwind(AssertUnwindSafe(work)).map_err(|_| MlsError)
}
