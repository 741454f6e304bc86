//! What the client's own work costs: a message sent and read, and a commit followed, by group size.
//!
//! Only ratios within one run say anything; the network and the disk are left out.
#![allow(missing_docs)]
#![allow(clippy::unwrap_used, clippy::expect_used)]

use cobijo_client_core::core::port::Rng;
use cobijo_client_core::mls::{
    Suite,
    key_package::{OfferedKeyPackage, OwnKeyPackage},
    state::MlsState,
};
use cobijo_protocol::{
    card::Role,
    commit::{POLICY, Profile, Terms},
    keys::SecretKey,
};
use cobijo_tests::authority::Authority;
use criterion::{BatchSize, BenchmarkId, Criterion, criterion_group, criterion_main};
use rand_core::{Rng as _, SeedableRng as _};

/// A desk of `size` members at one epoch: its creator and the last who joined.
fn group(suite: Suite, size: usize) -> (MlsState, MlsState, Rng) {
    let mut rng = Rng::seed_from_u64(1);
    let mut authority = Authority::new(1);
    let mut key = || {
        let mut bytes = [0; 32];
        rng.fill_bytes(&mut bytes);
        SecretKey::from_bytes(bytes)
    };
    let keys: Vec<_> = (0..size).map(|_| key()).collect();
    let terms = Terms {
        profile: Profile::Desk,
        policy: POLICY,
        root: authority.root(),
        facilitators: Vec::new(),
        predecessor: None,
    };
    let mut credential =
        |key: &SecretKey| authority.attest("Luz", Role::Coordinator, &key.public());
    let first = credential(&keys[0]);
    let mut creator =
        MlsState::create(suite, b"bench", &terms, keys[0].clone(), &first, &mut rng).unwrap();
    let own: Vec<_> = keys[1..]
        .iter()
        .map(|key| OwnKeyPackage::new(suite, key, &credential(key), &mut rng).unwrap())
        .collect();
    let offered: Vec<_> = own
        .iter()
        .map(|own| OfferedKeyPackage::parse(own.message(), suite, &terms.root).unwrap())
        .collect();
    let built = creator.build(&offered, &[], &[], &mut rng).unwrap();
    creator.merge(&built.commit, &mut rng).unwrap();
    let last = own.last().unwrap();
    let joined = MlsState::join(
        last,
        keys[size - 1].clone(),
        &built.welcome.unwrap(),
        &mut rng,
    )
    .unwrap();
    (creator, joined.state, rng)
}

fn messages(criterion: &mut Criterion) {
    let mut bench = criterion.benchmark_group("message sent and read");
    for size in [2, 10, 50] {
        bench.bench_function(BenchmarkId::from_parameter(size), |bencher| {
            let (mut creator, mut member, mut rng) = group(Suite::PostQuantum, size);
            bencher.iter(|| {
                let message = creator.encrypt(b"hola", &mut rng).unwrap();
                member.decrypt(&message, 0, &mut rng).unwrap();
            });
        });
    }
}

fn commits(criterion: &mut Criterion) {
    let mut bench = criterion.benchmark_group("self-update made and followed");
    bench.sample_size(10);
    for size in [2, 10, 50] {
        bench.bench_function(BenchmarkId::from_parameter(size), |bencher| {
            let (creator, member, mut rng) = group(Suite::PostQuantum, size);
            bencher.iter_batched(
                || (creator.clone(), member.clone()),
                |(mut creator, mut member)| {
                    let built = creator.build(&[], &[], &[], &mut rng).unwrap();
                    creator.merge(&built.commit, &mut rng).unwrap();
                    member.merge(&built.commit, &mut rng).unwrap();
                },
                BatchSize::PerIteration,
            );
        });
    }
}

criterion_group!(benches, messages, commits);
criterion_main!(benches);
