//! One group's MLS state (RFC 9420), in Cobijo's profile. [G-2], [G-7]

use std::panic::{AssertUnwindSafe, catch_unwind};

use cobijo_protocol::{
    card::{Attested, DeskKey},
    cbor,
    commit::{EXPORTER_LABEL, TERMS_EXTENSION, Terms},
    credential::{Credential, Identity},
    keys::{PublicKey, SecretKey, Signed},
    slot::ThreadSecret,
};
use openmls::prelude::{
    BasicCredential, ContentType, Extension, ExtensionType, Extensions, GroupContext, GroupId,
    LeafNode, LeafNodeIndex, Lifetime, MlsGroup, MlsGroupJoinConfig, MlsMessageBodyIn,
    MlsMessageIn, PURE_PLAINTEXT_WIRE_FORMAT_POLICY, ProcessedMessageContent, ProtocolMessage,
    RequiredCapabilitiesExtension, Sender, SenderRatchetConfiguration, StagedWelcome,
    UnknownExtension,
    tls_codec::{DeserializeBytes as _, Serialize as _},
};
use openmls_traits::OpenMlsProvider as _;
use serde::{Deserialize, Serialize};
use serde_bytes::ByteBuf;
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

use super::{
    MlsError, Suite,
    key_package::OwnKeyPackage,
    provider::{LeafSigner, Provider, Values, capabilities, credential_with_key},
    verdict::{self, Fault},
};
use crate::core::{policy::Leaf, port::Rng};

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
    pub(super) live: Option<Live>,
}

pub(super) struct Live {
    pub(super) provider: Provider,
    pub(super) group: MlsGroup,
}

/// What is known of an epoch.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EpochFacts {
    /// Number of the epoch.
    pub epoch: u64,
    /// The thread secret that it gives.
    pub secret: ThreadSecret,
    /// The own leaf's index.
    pub own_leaf: u32,
    /// Its members, by index.
    pub leaves: Vec<Leaf>,
    /// The desk key of the highest serial in a leaf's credential.
    pub desk_key: Option<Signed<DeskKey>>,
    /// Its authenticator (RFC 9420 §8.7).
    pub authenticator: Vec<u8>,
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
            .map(Zeroizing::new)
            .map_err(|_| MlsError)?;
        let mut leaves = Vec::new();
        let mut desk_key: Option<(u32, Signed<DeskKey>)> = None;
        for member in group.members() {
            let node = group.public_group().leaf(member.index).ok_or(MlsError)?;
            let leaf = leaf(member.index, node, root)?;
            let serial = leaf.identity.desk_serial();
            if let (Some(serial), Some(signed)) = (serial, desk_key_of(node))
                && desk_key
                    .as_ref()
                    .is_none_or(|(highest, _)| *highest < serial)
            {
                desk_key = Some((serial, signed));
            }
            leaves.push(leaf);
        }
        Ok(EpochFacts {
            epoch: group.epoch().as_u64(),
            secret: ThreadSecret::try_from(secret.as_slice()).map_err(|_| MlsError)?,
            own_leaf: group.own_leaf_index().u32(),
            leaves,
            desk_key: desk_key.map(|(_, signed)| signed),
            authenticator: group.epoch_authenticator().as_slice().to_vec(),
        })
    }

    /// What attests the member of that leaf, with its chain; nothing for a person's.
    pub fn attested(&mut self, leaf: u32, rng: &mut Rng) -> Option<Attested> {
        let Live { group, .. } = self.live(rng).ok()?;
        let node = group.public_group().leaf(LeafNodeIndex::new(leaf))?;
        attested_of(node)
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
    ///
    /// # Errors
    /// [`Fault::Void`] for such a cell; [`Fault::Broken`] where the own state can't be read.
    pub fn decrypt(&mut self, message: &[u8], leaf: u32, rng: &mut Rng) -> Result<Vec<u8>, Fault> {
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

    pub(super) fn live(&mut self, rng: &mut Rng) -> Result<&mut Live, MlsError> {
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
    pub(super) fn attempt<T, E>(
        &mut self,
        rng: &mut Rng,
        work: impl FnOnce(&mut Live, &SecretKey) -> Result<T, E>,
    ) -> Result<Result<T, E>, MlsError> {
        let key = self.key.clone();
        let live = self.live(rng)?;
        let result = guard(|| work(live, &key));
        match result {
            Ok(Ok(value)) => {
                if let Some(live) = &self.live {
                    live.provider.save_into(&mut self.values)?;
                }
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

/// The desk key that a member's leaf shows.
fn desk_key_of(node: &LeafNode) -> Option<Signed<DeskKey>> {
    attested_of(node).map(|attested| attested.desk_key)
}

fn attested_of(node: &LeafNode) -> Option<Attested> {
    let credential = BasicCredential::try_from(node.credential().clone()).ok()?;
    match cbor::decode(credential.identity()).ok()? {
        Credential::Member(attested) => Some(attested),
        Credential::Person(_) => None,
    }
}

fn leaf(index: LeafNodeIndex, node: &LeafNode, root: &PublicKey) -> Result<Leaf, MlsError> {
    let (key, identity) = identify(node, root).ok_or(MlsError)?;
    let bytes = node.tls_serialize_detached().map_err(|_| MlsError)?;
    Ok(Leaf {
        index: index.u32(),
        key,
        identity,
        node_hash: Sha256::digest(&bytes).into(),
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
pub(super) fn guard<T>(work: impl FnOnce() -> T) -> Result<T, MlsError> {
    catch_unwind(AssertUnwindSafe(work)).map_err(|_| MlsError)
}
