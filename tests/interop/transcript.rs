//! A newcomer's walk through MLS, followed by another library.

use mls_rs::{
    CryptoProvider, MlsMessage,
    group::ReceivedMessage,
    storage_provider::{KeyPackageData, in_memory::InMemoryKeyPackageStorage},
};

use crate::{
    foreign::{
        content,
        group::{CommitData, Profile},
        mls::{Group, Person, client_with},
        suite::{POST_QUANTUM, Provider},
    },
    vectors::{array, hex, vectors},
};

/// [G-1], [G-11], [A-2]
#[test]
fn the_transcript_is_followed() {
    let vectors = vectors("transcript");
    let person = Person {
        seed: [5; 32],
        leaf_seed: array(&vectors["leaf_seed"]),
        serial: 1,
    };
    let own = InMemoryKeyPackageStorage::new();
    let message = hex(&vectors["key_package"]);
    let suite = Provider(POST_QUANTUM).cipher_suite_provider(POST_QUANTUM);
    let package = MlsMessage::from_bytes(&message).unwrap();
    let reference = package.key_package_reference(&suite.unwrap()).unwrap();
    let data = KeyPackageData::new(
        message[4..].to_vec(),
        hex(&vectors["init_private_key"]).into(),
        hex(&vectors["leaf_private_key"]).into(),
        u64::MAX,
    );
    own.insert(reference.unwrap().to_vec(), data);
    let client = client_with(&person, POST_QUANTUM, own);

    let (root, welcome) = (array(&vectors["root"]), hex(&vectors["welcome"]));
    let (mut group, signer) = Group::join(&client, &welcome, root).unwrap();
    assert_eq!((signer, group.own_leaf()), (0, 1));
    assert_eq!(group.terms().unwrap().profile, Profile::Conversation);
    assert_eq!(group.channel().as_slice(), hex(&vectors["k_1"]));
    let authenticator = group.mls.epoch_authenticator().unwrap();
    assert_eq!(
        authenticator.as_bytes(),
        hex(&vectors["epoch_authenticator_1"])
    );

    let said = &vectors["message"];
    let message = MlsMessage::from_bytes(&hex(&said["mls"])).unwrap();
    let received = group.mls.process_incoming_message(message).unwrap();
    let ReceivedMessage::ApplicationMessage(message) = received else {
        panic!("no message")
    };
    assert_eq!(message.sender_index, 0);
    assert_eq!(message.data(), hex(&said["plaintext"]));
    let name = content::name(&array(&said["author"]), message.data());
    assert_eq!(name.as_slice(), hex(&said["name"]));

    let commit = MlsMessage::from_bytes(&hex(&vectors["commit"])).unwrap();
    let received = group.mls.process_incoming_message(commit).unwrap();
    let ReceivedMessage::Commit(commit) = received else {
        panic!("no commit")
    };
    assert_eq!(commit.committer, 0);
    assert_eq!(commit.authenticated_data, hex(&vectors["commit_data"]));
    assert!(CommitData::decode(&commit.authenticated_data).is_some());
    assert_eq!(group.channel().as_slice(), hex(&vectors["k_2"]));
}
