//! What of files is remembered, and what it makes way for.

use cobijo_protocol::{
    file::{FileHash, FileKind, FileSize, Millis, Way},
    keys::SecretKey,
    slot::{Address, Kind, Slot, ThreadSecret},
};

use super::*;

const NOW: Now = Now::from_millis(1_000_000);

fn key(seed: u8) -> PublicKey {
    SecretKey::from_bytes([seed; 32]).public()
}

fn bodies(bytes: usize) -> FileBodies {
    FileBodies {
        size: FileSize::try_from(bytes as u64).unwrap(),
        secret: ThreadSecret::from_bytes([9; 32]),
    }
}

fn file(way: Way) -> File {
    File {
        way,
        kind: FileKind::Other,
        sha256: FileHash::from_bytes([1; 32]),
        original: None,
        taken: Millis::from_millis(0),
        label: None,
        bodies: bodies(10),
    }
}

fn hear(files: &mut Files, author: u8) -> FileNumber {
    let id = MessageId::from_bytes([author; 16]);
    files
        .tell(&file(Way::Keep), id, key(author), None, false, NOW)
        .number
}

fn sending(bytes: usize) -> Files {
    let mut files = Files::default();
    let file = file(Way::Keep);
    let outgoing = OutgoingFile {
        local: FileId::from_bytes([3; 16]),
        way: file.way,
        kind: file.kind,
        size: bodies(bytes).size,
        sha256: file.sha256,
        original: None,
        taken: file.taken,
        label: None,
    };
    files.send(outgoing, bodies(bytes)).unwrap();
    files.go_on(NOW);
    files.give_channel(|| ChannelId::from_number(1));
    files
}

fn read(files: &mut Files, bytes: &[u8]) {
    let Some(FileWork::Read { file, part }) = files.poll_work() else {
        panic!("nothing is read")
    };
    let bytes = Some(bytes.to_vec().into());
    files.handle_part(&PartDone::Read { file, part, bytes }, NOW);
}

fn wanted(files: &Files) -> Vec<Address> {
    let (_, wants) = files.line().unwrap();
    let mut puts = wants.chains.iter().flatten();
    puts.by_ref()
        .map(super::super::port::Put::address)
        .collect()
}

fn changed(files: &mut Files) -> Vec<FileState> {
    std::iter::from_fn(|| files.poll_changed())
        .map(|view| view.state)
        .collect()
}

/// [F-9]
#[test]
fn nobody_drives_out_files_that_others_sent_however_many_she_lists() {
    let mut files = Files::default();
    let hers = hear(&mut files, 1);
    let first = hear(&mut files, 2);
    for _ in 0..2 * FILES_MAX {
        hear(&mut files, 2);
    }
    assert_eq!(files.views().len(), FILES_MAX);
    assert!(files.views().iter().any(|view| view.number == hers));
    assert!(!files.views().iter().any(|view| view.number == first));
    assert_eq!(files.take().0.len(), FILES_MAX);
}

/// [F-9]
#[test]
fn what_has_no_line_is_not_shown_and_still_erased() {
    let mut files = Files::default();
    let kept = hear(&mut files, 1);
    let withdrawn = hear(&mut files, 2);
    files.open(withdrawn, FileId::from_bytes([1; 16])).unwrap();
    files.keep_lines(&BTreeSet::from([kept]));
    assert_eq!(files.views().len(), 1);
    assert_eq!(files.local().count(), 0);
    let open = files.open(withdrawn, FileId::from_bytes([2; 16]));
    assert_eq!(open, Err(FileRefused::Unknown));
    assert_eq!(files.take().0.len(), 2);
}

#[test]
fn what_the_relay_no_longer_has_is_gone_unless_it_is_here() {
    let mut files = Files::default();
    hear(&mut files, 1);
    let relay = |day| RelayFacts {
        day,
        retention_days: 90,
    };
    files.forget(&relay(91));
    assert_eq!(files.views()[0].state, FileState::Unopened);
    files.forget(&relay(92));
    assert_eq!(files.views()[0].state, FileState::Gone);
    assert!(files.take().0.is_empty());
}

/// [F-4]
#[test]
fn a_file_whose_slot_is_taken_is_not_told_of_and_what_stands_of_it_goes() {
    let mut files = sending(100_000);
    let bytes = vec![5; 100_000];
    read(&mut files, &bytes);
    let slots = wanted(&files);
    assert_eq!(slots.len(), bodies(100_000).size.bodies());
    files.handle_seen(&Seen::Stored(slots[0]), NOW);
    let other = Slot::derive(&ThreadSecret::from_bytes([4; 32]), Kind::Message, 0, 0);
    files.handle_seen(&Seen::Taken(other.address()), NOW);
    assert!(!changed(&mut files).contains(&FileState::NotSent));
    files.handle_seen(&Seen::Taken(slots[1]), NOW);
    assert!(changed(&mut files).contains(&FileState::NotSent));
    assert!(files.take_stored().is_empty() && files.views().is_empty());
    let (_, wants) = files.line().unwrap();
    assert_eq!(wants.erases.len(), slots.len());
}

#[test]
fn other_bytes_than_were_announced_are_not_sent() {
    let mut files = sending(100_000);
    read(&mut files, &[5; 99_999]);
    assert!(changed(&mut files).contains(&FileState::NotSent));
}

/// [F-9]
#[test]
fn bodies_are_erased_a_frame_at_a_time_and_a_restart_begins_at_most_one_again() {
    let mut sweep = FileSweep::default();
    sweep.add(vec![bodies(400_000), bodies(1)], Pace::AtOnce, NOW);
    let all = sweep.left();
    let mut erased = BTreeSet::new();
    let mut frames = 0;
    while !sweep.is_over() {
        sweep.advance(NOW);
        let mut bytes = Vec::new();
        ciborium::into_writer(&sweep, &mut bytes).unwrap();
        if frames == 1 {
            sweep = ciborium::from_reader(bytes.as_slice()).unwrap();
            sweep.advance(NOW);
        }
        assert!(bytes.len() < 500, "secrets, and no keys");
        let mut wants = Wants::default();
        sweep.wants(&mut wants);
        assert!((1..=64).contains(&wants.erases.len()));
        for (slot_key, erase_key) in wants.erases {
            let address = slot_key.address(&erase_key.mark());
            erased.insert(address);
            sweep.handle_seen(&Seen::Erased(address), NOW);
        }
        frames += 1;
    }
    // Both have one secret here: the small one's slots are the first of the large one's first part.
    assert_eq!((frames, all), (3, 112 + 16));
    assert_eq!(erased.len(), bodies(400_000).size.bodies());
}
