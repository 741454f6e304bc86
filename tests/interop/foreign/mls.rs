//! MLS with mls-rs, in Cobijo's profile.

use std::time::Duration;

use mls_rs::{
    CipherSuite, Client, Extension, ExtensionList, MlsMessage,
    client_builder::{self, MlsConfig, PaddingMode},
    extension::{ExtensionType, built_in::RequiredCapabilitiesExt},
    identity::{
        SigningIdentity,
        basic::{BasicCredential, BasicIdentityProvider},
    },
    mls_rules::{CommitOptions, DefaultMlsRules, EncryptionOptions},
    storage_provider::in_memory::InMemoryKeyPackageStorage,
    time::MlsTime,
};

use super::{
    cbor::{bytes, map, text, uint},
    group::{EXPORTER_LABEL, Identity, TERMS, Terms, WELCOME_SECRET, identity},
    signature::{PublicKey, public, sign},
    suite::Provider,
};

/// A person, as one conversation knows her.
#[derive(Clone)]
pub(crate) struct Person {
    pub(crate) seed: [u8; 32],
    pub(crate) leaf_seed: [u8; 32],
    pub(crate) serial: u32,
}

impl Person {
    pub(crate) fn key(&self) -> PublicKey {
        public(&self.seed)
    }

    fn credential(&self) -> Vec<u8> {
        let leaf = public(&self.leaf_seed);
        let message: [&[u8]; 3] = [&self.serial.to_be_bytes(), &[0], &leaf];
        let signature = sign(&self.seed, "person leaf", &message);
        let person = map([
            ("person", bytes(self.key())),
            ("serial", uint(self.serial)),
            ("leaf", text("device")),
            ("signature", bytes(signature)),
            ("alias", super::cbor::Item::Null),
        ]);
        map([("person", person)]).encode()
    }
}

/// A client of mls-rs that makes KeyPackages and joins groups. It lets in every credential: they are looked at where the root is known.
pub(crate) fn client(person: &Person, suite: CipherSuite) -> Client<impl MlsConfig + use<>> {
    client_with(person, suite, InMemoryKeyPackageStorage::new())
}

/// As [`client`], with KeyPackages made before.
pub(crate) fn client_with(
    person: &Person,
    suite: CipherSuite,
    own: InMemoryKeyPackageStorage,
) -> Client<impl MlsConfig + use<>> {
    let credential = BasicCredential::new(person.credential()).into_credential();
    let leaf = public(&person.leaf_seed);
    let signer = [person.leaf_seed, leaf].concat();
    let rules = DefaultMlsRules::new()
        .with_commit_options(CommitOptions::new().with_path_required(true))
        .with_encryption_options(EncryptionOptions::new(false, PaddingMode::None));
    client_builder::ClientBuilder::new()
        .key_package_repo(own)
        .crypto_provider(Provider(suite))
        .identity_provider(BasicIdentityProvider)
        .extension_types([
            ExtensionType::new(TERMS),
            ExtensionType::new(WELCOME_SECRET),
        ])
        .key_package_lifetime(Duration::from_secs(u64::MAX))
        .mls_rules(rules)
        .signing_identity(
            SigningIdentity::new(credential, leaf.to_vec().into()),
            signer.into(),
            suite,
        )
        .build()
}

/// An MLSMessage with a KeyPackage that carries this welcome secret.
pub(crate) fn key_package<C: MlsConfig>(client: &Client<C>, welcome_secret: [u8; 32]) -> Vec<u8> {
    let mut extensions = ExtensionList::new();
    let kind = ExtensionType::new(WELCOME_SECRET);
    extensions.set(Extension::new(kind, welcome_secret.to_vec()));
    let since = Some(MlsTime::from_duration_since_epoch(Duration::ZERO));
    let message = client.generate_key_package_message(extensions, ExtensionList::new(), since);
    message.unwrap().to_bytes().unwrap()
}

/// A group, with the questions that Cobijo asks of it.
#[derive(Clone)]
pub(crate) struct Group<C: MlsConfig> {
    pub(crate) mls: mls_rs::Group<C>,
    root: PublicKey,
}

impl<C: MlsConfig> Group<C> {
    pub(crate) fn new(mls: mls_rs::Group<C>, root: PublicKey) -> Self {
        Self { mls, root }
    }

    /// Joins, if the terms are required and every credential is accepted. Tells the leaf that signed the GroupInfo.
    pub(crate) fn join(client: &Client<C>, welcome: &[u8], root: PublicKey) -> Option<(Self, u32)> {
        let message = MlsMessage::from_bytes(welcome).ok()?;
        let (mls, info) = client.join_group(None, &message, None).ok()?;
        let group = Self::new(mls, root);
        let extensions = &group.mls.context().extensions;
        let required: RequiredCapabilitiesExt = extensions.get_as().ok()??;
        let requires_terms = required.extensions.contains(&ExtensionType::new(TERMS));
        let accepted = group
            .leaves()
            .iter()
            .all(|leaf| group.identity(*leaf).is_some());
        (requires_terms && accepted).then_some((group, info.sender))
    }

    pub(crate) fn terms(&self) -> Option<Terms> {
        let terms = self
            .mls
            .context()
            .extensions
            .get(ExtensionType::new(TERMS))?;
        Terms::decode(&terms.extension_data)
    }

    pub(crate) fn channel(&self) -> [u8; 32] {
        let secret = self
            .mls
            .export_secret(EXPORTER_LABEL.as_bytes(), &[], 32)
            .unwrap();
        secret.as_bytes().try_into().unwrap()
    }

    pub(crate) fn identity(&self, leaf: u32) -> Option<Identity> {
        let member = self.mls.member_at_index(leaf)?;
        let leaf = &member.signing_identity;
        let credential = leaf.credential.as_basic()?;
        identity(&credential.identifier, &leaf.signature_key, &self.root)
    }

    pub(crate) fn leaves(&self) -> Vec<u32> {
        let mut leaves: Vec<u32> = self
            .mls
            .roster()
            .members_iter()
            .map(|member| member.index)
            .collect();
        leaves.sort_unstable();
        leaves
    }

    pub(crate) fn own_leaf(&self) -> u32 {
        self.mls.current_member_index()
    }
}
