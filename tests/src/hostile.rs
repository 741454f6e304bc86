//! A hostile member: all of openmls over a stolen member's state, so that tests can write what the
//! client never would.

use ciborium::Value;
use cobijo_protocol::{
    commit::EXPORTER_LABEL,
    keys::{PublicKey, SecretKey},
    slot::ThreadSecret,
};
use openmls::prelude::{
    BasicCredential, CredentialWithKey, GroupId, KeyPackage, LeafNodeIndex, LeafNodeParameters,
    MIXED_CIPHERTEXT_WIRE_FORMAT_POLICY, MlsGroup, MlsGroupJoinConfig, MlsMessageBodyIn,
    MlsMessageIn, MlsMessageOut, NewSignerBundle, PURE_PLAINTEXT_WIRE_FORMAT_POLICY,
    ProcessedMessageContent,
    tls_codec::{DeserializeBytes as _, Serialize as _},
};
use openmls_memory_storage::MemoryStorage;
use openmls_rust_crypto::RustCrypto;
use openmls_traits::{
    OpenMlsProvider,
    signatures::{Signer, SignerError},
    types::SignatureScheme,
};
use serde::Serialize;

mod garbling;
mod repeating;

use garbling::GarblingCrypto;
use repeating::RepeatingRand;

/// A member who writes what nobody should.
pub struct HostileMember {
    provider: HostileProvider,
    group: MlsGroup,
    key: SecretKey,
}

/// What a crafted commit does besides being one.
#[derive(Default)]
pub struct Crafted<'a> {
    /// Its authenticated data, as it stands.
    pub data: Vec<u8>,
    /// KeyPackages to add, as MLSMessages.
    pub adds: Vec<&'a [u8]>,
    /// Leaves to remove.
    pub removes: Vec<u32>,
    /// The credential that the path leaf takes.
    pub new_credential: Option<Vec<u8>>,
    /// The signature key that the path leaf takes.
    pub new_key: Option<SecretKey>,
    /// What the keys of its path are made of.
    pub path_secret: Option<[u8; 32]>,
    /// The leaf for which alone the path doesn't open.
    pub victim: Option<u32>,
    /// How it is framed.
    pub framing: Framing,
}

/// How a crafted commit is framed.
#[derive(Clone, Copy, PartialEq, Eq, Default)]
pub enum Framing {
    /// As the profile wants it.
    #[default]
    Public,
    /// As an MLS PrivateMessage.
    Private,
}

/// A crafted commit, and the Welcome where it adds somebody.
pub struct CraftedCommit {
    /// An MLSMessage.
    pub commit: Vec<u8>,
    /// An MLSMessage.
    pub welcome: Option<Vec<u8>>,
}

struct HostileProvider {
    crypto: GarblingCrypto,
    rand: RepeatingRand,
    storage: MemoryStorage,
}

struct KeySigner<'a>(&'a SecretKey);

impl HostileMember {
    /// Takes over a member's state: anything that holds the saved state of one MLS group.
    pub fn of(member: &impl Serialize) -> Self {
        let saved = Value::serialized(member).unwrap();
        let state = find_state(&saved).unwrap();
        let field = |name: &str| field(state, name).unwrap().clone();
        let storage = MemoryStorage::default();
        for (key, value) in field("values").as_map().unwrap() {
            let (key, value) = (key.as_bytes().unwrap(), value.as_bytes().unwrap());
            storage
                .values
                .write()
                .unwrap()
                .insert(key.clone(), value.clone());
        }
        let id = GroupId::from_slice(field("group").as_bytes().unwrap());
        let group = MlsGroup::load(&storage, &id).unwrap().unwrap();
        Self {
            provider: HostileProvider {
                crypto: GarblingCrypto::default(),
                rand: RepeatingRand::default(),
                storage,
            },
            group,
            key: SecretKey::try_from(field("key").as_bytes().unwrap().as_slice()).unwrap(),
        }
    }

    /// The thread secret of the epoch.
    pub fn thread_secret(&self) -> ThreadSecret {
        let secret = self
            .group
            .export_secret(self.provider.crypto(), EXPORTER_LABEL, &[], 32)
            .unwrap();
        ThreadSecret::try_from(secret.as_slice()).unwrap()
    }

    /// The epoch.
    pub fn epoch(&self) -> u64 {
        self.group.epoch().as_u64()
    }

    /// The own leaf.
    pub fn leaf(&self) -> u32 {
        self.group.own_leaf_index().u32()
    }

    /// All leaves of the epoch, in order.
    pub fn leaves(&self) -> Vec<u32> {
        self.group
            .members()
            .map(|member| member.index.u32())
            .collect()
    }

    /// The leaf with a signature key.
    pub fn leaf_of(&self, key: &PublicKey) -> Option<u32> {
        self.group
            .members()
            .find(|member| member.signature_key == key.as_bytes())
            .map(|member| member.index.u32())
    }

    /// The own signing key.
    pub fn key(&self) -> &SecretKey {
        &self.key
    }

    /// Encrypts an application message with any authenticated data.
    pub fn message(&mut self, payload: &[u8], authenticated: &[u8]) -> Vec<u8> {
        self.group.set_aad(authenticated.to_vec());
        let message = self
            .group
            .create_message(&self.provider, &KeySigner(&self.key), payload)
            .unwrap();
        serialized(message)
    }

    /// Builds a commit; the own state stays in its epoch.
    pub fn commit(&mut self, crafted: &Crafted<'_>) -> CraftedCommit {
        self.group
            .clear_pending_commit(self.provider.storage())
            .unwrap();
        self.frame_as(crafted.framing);
        self.group.set_aad(crafted.data.clone());
        let victim = crafted.victim.map(|leaf| self.encryption_key(leaf));
        self.provider.crypto.garble(victim);
        self.provider.rand.draw_next(crafted.path_secret);
        let adds = crafted.adds.iter().map(|message| parse(message));
        let removes = crafted.removes.iter().map(|&leaf| LeafNodeIndex::new(leaf));
        let old = self.group.own_leaf_node().unwrap();
        let identity = BasicCredential::try_from(old.credential().clone()).unwrap();
        let identity = crafted
            .new_credential
            .clone()
            .unwrap_or_else(|| identity.identity().to_vec());
        let mut parameters = LeafNodeParameters::builder();
        // With a new key the signer's bundle names the credential.
        if crafted.new_credential.is_some() && crafted.new_key.is_none() {
            parameters =
                parameters.with_credential_with_key(credential_with_key(&self.key, &identity));
        }
        let builder = self
            .group
            .commit_builder()
            .consume_proposal_store(false)
            .force_self_update(true)
            .propose_adds(adds)
            .propose_removals(removes)
            .leaf_node_parameters(parameters.build())
            .load_psks(self.provider.storage())
            .unwrap();
        let (rand, crypto) = (self.provider.rand(), self.provider.crypto());
        let signer = KeySigner(&self.key);
        let built = match &crafted.new_key {
            None => builder.build(rand, crypto, &signer, |_| true),
            Some(new) => {
                let new_signer = NewSignerBundle {
                    signer: &KeySigner(new),
                    credential_with_key: credential_with_key(new, &identity),
                };
                builder.build_with_new_signer(rand, crypto, &signer, new_signer, |_| true)
            }
        };
        let bundle = built.unwrap().stage_commit(&self.provider).unwrap();
        let is_garbled = self.provider.crypto.garbled() > 0;
        assert_eq!(
            is_garbled,
            crafted.victim.is_some(),
            "no secret of the path is the victim's alone"
        );
        let (commit, welcome, _) = bundle.into_messages();
        CraftedCommit {
            commit: serialized(commit),
            welcome: welcome.map(serialized),
        }
    }

    /// Goes on to the epoch of the commit built last.
    pub fn merge(&mut self) {
        self.group.merge_pending_commit(&self.provider).unwrap();
    }

    /// Goes on to the epoch of somebody else's commit.
    pub fn follow(&mut self, commit: &[u8]) {
        let message = MlsMessageIn::tls_deserialize_exact_bytes(commit).unwrap();
        let message = message.try_into_protocol_message().unwrap();
        let processed = self.group.process_message(&self.provider, message).unwrap();
        let ProcessedMessageContent::StagedCommitMessage(staged) = processed.into_content() else {
            panic!("not a commit of somebody else");
        };
        self.group
            .merge_staged_commit(&self.provider, *staged)
            .unwrap();
    }

    /// Builds a commit by which somebody outside adds herself.
    #[expect(deprecated, reason = "the short form is enough for one hostile commit")]
    pub fn external_commit(&self, key: &SecretKey, identity: &[u8], data: &[u8]) -> Vec<u8> {
        let info = self
            .group
            .export_group_info(self.provider.crypto(), &KeySigner(&self.key), true)
            .unwrap();
        let info = MlsMessageIn::tls_deserialize_exact_bytes(&serialized(info)).unwrap();
        let MlsMessageBodyIn::GroupInfo(info) = info.extract() else {
            unreachable!("a group info was exported");
        };
        let config = MlsGroupJoinConfig::builder()
            .wire_format_policy(PURE_PLAINTEXT_WIRE_FORMAT_POLICY)
            .use_ratchet_tree_extension(true)
            .build();
        let outside = HostileProvider {
            crypto: GarblingCrypto::default(),
            rand: RepeatingRand::default(),
            storage: MemoryStorage::default(),
        };
        let own = self.group.own_leaf_node().unwrap();
        let (_, commit, _) = MlsGroup::join_by_external_commit(
            &outside,
            &KeySigner(key),
            None,
            info,
            &config,
            Some(own.capabilities().clone()),
            None,
            data,
            credential_with_key(key, identity),
        )
        .unwrap();
        serialized(commit)
    }

    fn encryption_key(&self, leaf: u32) -> Vec<u8> {
        let mut members = self.group.members();
        let member = members.find(|member| member.index.u32() == leaf);
        member.unwrap().encryption_key
    }

    fn frame_as(&mut self, framing: Framing) {
        let policy = match framing {
            Framing::Public => PURE_PLAINTEXT_WIRE_FORMAT_POLICY,
            Framing::Private => MIXED_CIPHERTEXT_WIRE_FORMAT_POLICY,
        };
        let config = MlsGroupJoinConfig::builder()
            .wire_format_policy(policy)
            .use_ratchet_tree_extension(true)
            .build();
        self.group
            .set_configuration(self.provider.storage(), &config)
            .unwrap();
    }
}

impl OpenMlsProvider for HostileProvider {
    type CryptoProvider = GarblingCrypto;
    type RandProvider = RepeatingRand;
    type StorageProvider = MemoryStorage;

    fn storage(&self) -> &MemoryStorage {
        &self.storage
    }

    fn crypto(&self) -> &GarblingCrypto {
        &self.crypto
    }

    fn rand(&self) -> &RepeatingRand {
        &self.rand
    }
}

impl Signer for KeySigner<'_> {
    fn sign(&self, payload: &[u8]) -> Result<Vec<u8>, SignerError> {
        Ok(self.0.sign("", payload).as_bytes().to_vec())
    }

    fn signature_scheme(&self) -> SignatureScheme {
        SignatureScheme::ED25519
    }
}

fn serialized(message: MlsMessageOut) -> Vec<u8> {
    message.tls_serialize_detached().unwrap()
}

fn parse(message: &[u8]) -> KeyPackage {
    let message = MlsMessageIn::tls_deserialize_exact_bytes(message).unwrap();
    let MlsMessageBodyIn::KeyPackage(package) = message.extract() else {
        panic!("not a KeyPackage");
    };
    package
        .validate(
            &RustCrypto::default(),
            openmls::prelude::ProtocolVersion::Mls10,
        )
        .unwrap()
}

fn credential_with_key(key: &SecretKey, identity: &[u8]) -> CredentialWithKey {
    CredentialWithKey {
        credential: BasicCredential::new(identity.to_vec()).into(),
        signature_key: key.public().as_bytes().as_slice().into(),
    }
}

#[expect(
    clippy::wildcard_enum_match_arm,
    reason = "whatever holds no values holds no state"
)]
/// The first map that has the fields of a saved MLS state.
fn find_state(value: &Value) -> Option<&Value> {
    match value {
        Value::Map(entries) => {
            let has_all = ["suite", "group", "key", "values"]
                .iter()
                .all(|name| field(value, name).is_some());
            if has_all {
                return Some(value);
            }
            entries.iter().find_map(|(_, value)| find_state(value))
        }
        Value::Array(values) => values.iter().find_map(find_state),
        Value::Tag(_, value) => find_state(value),
        _ => None,
    }
}

fn field<'a>(value: &'a Value, name: &str) -> Option<&'a Value> {
    let mut entries = value.as_map()?.iter();
    entries
        .find(|(key, _)| key.as_text() == Some(name))
        .map(|(_, value)| value)
}

#[cfg(test)]
mod tests {
    use cobijo_client_core::{
        core::port::Rng,
        mls::{Suite, key_package::OfferedKeyPackage, key_package::OwnKeyPackage, state::MlsState},
    };
    use cobijo_protocol::{
        card::Role,
        commit::{POLICY, Profile, Terms},
    };
    use rand_core::SeedableRng as _;

    use super::*;
    use crate::authority::Authority;

    #[test]
    fn a_hostile_member_has_what_the_member_has_and_can_commit() {
        let mut rng = Rng::seed_from_u64(1);
        let mut desk = Authority::new(1);
        let keys = [1, 2].map(|byte| SecretKey::from_bytes([byte; 32]));
        let credentials =
            [0, 1].map(|i: usize| desk.attest("Asha", Role::Coordinator, &keys[i].public()));
        let terms = Terms {
            profile: Profile::Desk,
            policy: POLICY,
            root: desk.root(),
            facilitators: Vec::new(),
            predecessor: None,
        };
        let (key, credential) = (keys[0].clone(), &credentials[0]);
        let suite = Suite::Interop;
        let mut state = MlsState::create(suite, b"id", &terms, key, credential, &mut rng).unwrap();
        let package = OwnKeyPackage::new(suite, &keys[1], &credentials[1], &mut rng).unwrap();
        let offered = OfferedKeyPackage::parse(package.message(), suite, &desk.root()).unwrap();
        let built = state.build(&[offered], &[], b"", &mut rng).unwrap();
        state.merge(&built.commit, &mut rng).unwrap();

        let mut hostile = HostileMember::of(&state);
        let facts = state.facts(&desk.root(), &mut rng).unwrap();
        assert_eq!(hostile.thread_secret(), facts.secret);
        assert_eq!(hostile.leaves(), [0, 1]);
        let garbling = Crafted {
            victim: Some(1),
            new_key: Some(SecretKey::from_bytes([9; 32])),
            ..Crafted::default()
        };
        let crafted = hostile.commit(&garbling);
        let mut victim =
            MlsState::join(&package, keys[1].clone(), &built.welcome.unwrap(), &mut rng)
                .unwrap()
                .state;
        assert!(victim.merge(&crafted.commit, &mut rng).is_err());
        let honest = hostile.commit(&Crafted::default());
        assert!(victim.merge(&honest.commit, &mut rng).is_ok());
        hostile.merge();
        let facts = victim.facts(&desk.root(), &mut rng).unwrap();
        assert_eq!(hostile.thread_secret(), facts.secret);
    }
}
