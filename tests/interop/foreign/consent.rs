//! A person's yes to a proposal: her commit adds the colleague, and her Welcome lets her in.

use mls_rs::{MlsMessage, client_builder::MlsConfig, group::CommitOutput};

use super::{
    cbor::{bytes, map, uint},
    conversation::Conversation,
    group::{CommitData, POLICY},
    key_package::Package,
    mls::Group,
    slot::{random, split_welcome},
};

impl<C: MlsConfig> Conversation<C> {
    /// Adds the colleague of a KeyPackage.
    pub(crate) async fn accept(&mut self, package: &[u8]) {
        let colleague = Package::parse(package).unwrap();
        let is_same = colleague.suite == self.group.mls.cipher_suite().raw_value();
        assert!(is_same && colleague.has_profile());
        self.hear().await;
        let secret = random();
        // The Welcome's length goes into its own commit, so it is looked at once before.
        let (_, output) = self.add(package, 1, secret);
        let total = self.payload(&output).len();
        let (group, output) = self.add(package, total.try_into().unwrap(), secret);
        let payload = self.payload(&output);
        assert_eq!(payload.len(), total);
        let (_, bodies) = split_welcome(&payload, secret);
        self.write_welcome_bodies(&bodies, secret).await;
        let commit = output.commit_message().to_bytes().unwrap();
        assert!(self.commit(&commit).await, "another commit was faster");
        let welcome_secret = colleague.welcome_secret.unwrap();
        self.put_welcome(welcome_secret, total, secret).await;
        self.advance(group);
    }

    /// The group behind a commit that adds the colleague, and the commit.
    fn add(&self, package: &[u8], total: u32, secret: [u8; 32]) -> (Group<C>, CommitOutput) {
        let data = CommitData {
            policy: POLICY,
            cut: self.cut(),
            statements: Vec::new(),
            welcomes: vec![(total, secret)],
        };
        let mut scratch = self.group.clone();
        let package = MlsMessage::from_bytes(package).unwrap();
        let builder = scratch.mls.commit_builder().add_member(package).unwrap();
        let output = builder.authenticated_data(data.encode()).build().unwrap();
        scratch.mls.apply_pending_commit().unwrap();
        (scratch, output)
    }

    fn payload(&self, output: &CommitOutput) -> Vec<u8> {
        let [welcome] = output.welcome_messages() else {
            panic!("not one Welcome")
        };
        map([
            ("day", uint(self.caught_up())),
            ("desk_key", self.desk_key.clone()),
            ("welcome", bytes(welcome.to_bytes().unwrap())),
        ])
        .encode()
    }
}
