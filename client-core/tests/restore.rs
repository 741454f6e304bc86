//! What a profile is restored from.

use cobijo_client_core::core::client::{Client, RestoreError};

#[test]
fn a_state_of_a_newer_program_is_told_from_a_damaged_one_before_it_is_decoded() {
    let snapshot = Client::new().snapshot();
    assert!(Client::restore(&snapshot).is_ok());
    let mut newer = snapshot.to_vec();
    newer[0] += 1;
    newer.truncate(2);
    assert_eq!(Client::restore(&newer).err(), Some(RestoreError::Version));
    for damaged in [&[][..], &snapshot[..1], &snapshot[..snapshot.len() - 1]] {
        assert_eq!(
            Client::restore(damaged).err(),
            Some(RestoreError::Malformed)
        );
    }
}
