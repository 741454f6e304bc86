//! How many connections there may be: in total, from one network, and from one address.
//!
//! Where a limit is reached, the oldest connection within it that was no use to anybody so far gives way to
//! the new one, once it had time to be. So places that somebody only sits on keep nobody out, and whoever
//! comes and goes pushes out nobody who has only just come. Who did use hers keeps it.
//!
//! An address is only ever held as a hash under a key that this process made for itself, in memory, and
//! only while a connection of it is open: nobody is banned, since an abuser may share her address. [L-1] [L-2]

use std::{
    collections::{BTreeMap, HashMap},
    hash::Hasher,
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
    time::Instant,
};

use siphasher::sip128::{Hasher128, SipHasher24};

use crate::limits::PLACE_SPARED;

/// How many at most.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct AdmissionLimit {
    pub(crate) connections: usize,
    pub(crate) connections_per_network: usize,
    pub(crate) connections_per_address: usize,
}

impl AdmissionLimit {
    /// The same shares of no more than `connections`.
    pub(crate) fn within(self, connections: usize) -> Self {
        if self.connections <= connections {
            return self;
        }
        let share = |part: usize| (part.saturating_mul(connections) / self.connections).max(1);
        Self {
            connections: share(self.connections),
            connections_per_network: share(self.connections_per_network),
            connections_per_address: share(self.connections_per_address),
        }
    }
}

/// Open connections.
pub(crate) struct Admission {
    limit: AdmissionLimit,
    key: [u8; 16],
    next: PlaceId,
    /// Oldest first.
    places: BTreeMap<PlaceId, Place>,
    by_network: HashMap<NetworkHash, usize>,
    by_address: HashMap<AddressHash, usize>,
}

/// Names the place of a connection within one run of the relay; older ones are lower.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct PlaceId(u64);

/// A place that was given.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Admitted {
    pub(crate) place: PlaceId,
    /// The place that was taken away for it.
    pub(crate) gave_way: Option<PlaceId>,
}

struct Place {
    network: NetworkHash,
    address: AddressHash,
    since: Instant,
    used: bool,
}

#[derive(Clone, Copy, PartialEq, Eq, Hash)]
struct NetworkHash(u128);

#[derive(Clone, Copy, PartialEq, Eq, Hash)]
struct AddressHash(u128);

/// Where no place is left.
enum Full {
    Address,
    Network,
    Relay,
}

impl Admission {
    /// Nobody is there yet. The key is random, and never leaves the process.
    pub(crate) fn new(limit: AdmissionLimit, key: [u8; 16]) -> Self {
        Self {
            limit,
            key,
            next: PlaceId(0),
            places: BTreeMap::new(),
            by_network: HashMap::new(),
            by_address: HashMap::new(),
        }
    }

    /// Takes a place, if there is one or somebody can give way.
    pub(crate) fn admit(&mut self, address: IpAddr, now: Instant) -> Option<Admitted> {
        let (network, address) = self.hash(address);
        let gave_way = match self.full(network, address) {
            Some(full) => {
                let within = |place: &Place| match full {
                    Full::Address => place.address == address,
                    Full::Network => place.network == network,
                    Full::Relay => true,
                };
                Some(self.unused(within, now)?)
            }
            None => None,
        };
        if let Some(place) = gave_way {
            self.release(place);
        }
        let place = self.next;
        self.next = PlaceId(place.0 + 1);
        *self.by_network.entry(network).or_default() += 1;
        *self.by_address.entry(address).or_default() += 1;
        let entry = Place {
            network,
            address,
            since: now,
            used: false,
        };
        self.places.insert(place, entry);
        Some(Admitted { place, gave_way })
    }

    /// The connection stored, watched or opened something: its place is its own from now on.
    pub(crate) fn handle_used(&mut self, place: PlaceId) {
        if let Some(place) = self.places.get_mut(&place) {
            place.used = true;
        }
    }

    /// Gives a place back, unless it was taken away.
    pub(crate) fn release(&mut self, place: PlaceId) {
        if let Some(place) = self.places.remove(&place) {
            uncount(&mut self.by_network, place.network);
            uncount(&mut self.by_address, place.address);
        }
    }

    /// The narrowest that is full: whoever gives way there makes room in the wider ones too.
    fn full(&self, network: NetworkHash, address: AddressHash) -> Option<Full> {
        let of_address = self.by_address.get(&address).copied().unwrap_or_default();
        let of_network = self.by_network.get(&network).copied().unwrap_or_default();
        if of_address >= self.limit.connections_per_address {
            Some(Full::Address)
        } else if of_network >= self.limit.connections_per_network {
            Some(Full::Network)
        } else if self.places.len() >= self.limit.connections {
            Some(Full::Relay)
        } else {
            None
        }
    }

    /// The oldest that had time to be used, and was not.
    fn unused(&self, within: impl Fn(&Place) -> bool, now: Instant) -> Option<PlaceId> {
        let mut places = self.places.iter();
        let (id, place) = places.find(|(_, place)| !place.used && within(place))?;
        let is_spared = now.saturating_duration_since(place.since) < PLACE_SPARED;
        (!is_spared).then_some(*id)
    }

    /// An IPv4 address and its /24. For IPv6 a household or a rented server has a whole /64, and who
    /// rents one may well have the /48 around it.
    fn hash(&self, address: IpAddr) -> (NetworkHash, AddressHash) {
        let hash = |prefix: &[u8]| {
            let mut hasher = SipHasher24::new_with_key(&self.key);
            hasher.write(prefix);
            hasher.finish128().as_u128()
        };
        let (network, address) = match address.to_canonical() {
            IpAddr::V4(address) => {
                let octets = Ipv4Addr::octets(&address);
                (hash(&octets[..3]), hash(&octets))
            }
            IpAddr::V6(address) => {
                let octets = Ipv6Addr::octets(&address);
                (hash(&octets[..6]), hash(&octets[..8]))
            }
        };
        (NetworkHash(network), AddressHash(address))
    }
}

fn uncount<K: Eq + std::hash::Hash>(counts: &mut HashMap<K, usize>, key: K) {
    if let Some(count) = counts.get_mut(&key) {
        *count -= 1;
        if *count == 0 {
            counts.remove(&key);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    const LIMIT: AdmissionLimit = AdmissionLimit {
        connections: 4,
        connections_per_network: 3,
        connections_per_address: 2,
    };

    fn admission() -> Admission {
        Admission::new(LIMIT, [7; 16])
    }

    impl Admission {
        /// Takes places that are used at once.
        fn fill<const N: usize>(&mut self, addresses: [&str; N]) -> [PlaceId; N] {
            addresses.map(|address| {
                let place = self.admit(ip(address), Instant::now()).unwrap().place;
                self.handle_used(place);
                place
            })
        }

        fn refuses(&mut self, address: &str) -> bool {
            self.admit(ip(address), Instant::now() + PLACE_SPARED)
                .is_none()
        }
    }

    fn ip(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[test]
    fn one_address_gets_its_share_and_a_place_comes_back() {
        let mut admission = admission();
        let [first, _] = admission.fill(["192.0.2.1", "::ffff:192.0.2.1"]);
        assert!(admission.refuses("192.0.2.1"));
        admission.release(first);
        admission.fill(["192.0.2.1"]);
        assert!(admission.refuses("192.0.2.1"));
    }

    #[test]
    fn one_network_gets_its_share_however_many_addresses_it_has() {
        let networks = [
            [
                "192.0.2.1",
                "192.0.2.2",
                "192.0.2.3",
                "192.0.2.4",
                "192.0.3.1",
            ],
            [
                "2001:db8:1::1",
                "2001:db8:1:1::",
                "2001:db8:1:2::",
                "2001:db8:1:ffff::",
                "2001:db8:2::",
            ],
        ];
        for [first, second, third, fourth, other] in networks {
            let mut admission = admission();
            admission.fill([first, second, third]);
            assert!(admission.refuses(fourth));
            admission.fill([other]);
        }
    }

    #[test]
    fn all_addresses_together_get_no_more_than_the_total_and_leave_nothing_behind() {
        let mut admission = admission();
        let places = admission.fill(["192.0.2.1", "192.0.2.1", "198.51.100.1", "203.0.113.1"]);
        assert!(admission.refuses("233.252.0.1"));
        for place in places {
            admission.release(place);
            admission.release(place);
        }
        assert!(admission.by_address.is_empty() && admission.by_network.is_empty());
    }

    #[test]
    fn the_addresses_of_one_ipv6_household_count_as_one() {
        let mut admission = admission();
        admission.fill(["2001:db8::1", "2001:db8::2"]);
        assert!(admission.refuses("2001:db8::3"));
        admission.fill(["2001:db8:0:1::3"]);
    }

    #[test]
    fn the_oldest_that_is_not_used_gives_way_and_only_within_what_is_full() {
        let mut admission = admission();
        let mut now = Instant::now();
        let mut admit = |address| {
            now += PLACE_SPARED;
            admission.admit(ip(address), now).unwrap()
        };
        let first = admit("192.0.2.1").place;
        let [second, third] = [(); 2].map(|()| admit("198.51.100.1").place);
        let of_address = admit("198.51.100.1");
        assert_eq!(of_address.gave_way, Some(second));
        let fourth = admit("198.51.100.2").place;
        let of_network = admit("198.51.100.3");
        assert_eq!(of_network.gave_way, Some(third));
        admission.handle_used(first);
        let of_relay = admission.admit(ip("203.0.113.1"), now).unwrap();
        assert_eq!(of_relay.gave_way, Some(of_address.place));
        assert_eq!(admission.places.len(), LIMIT.connections);
        for place in [fourth, of_network.place, of_relay.place] {
            admission.handle_used(place);
        }
        assert!(admission.refuses("203.0.113.1"));
    }

    #[test]
    fn whoever_has_only_just_come_is_pushed_out_by_nobody() {
        let mut admission = admission();
        let start = Instant::now();
        let hers = admission.admit(ip("192.0.2.1"), start).unwrap().place;
        admission.fill(["192.0.2.1"]);
        let almost = start + PLACE_SPARED - Duration::from_millis(1);
        assert_eq!(admission.admit(ip("192.0.2.1"), almost), None);
        let then = admission.admit(ip("192.0.2.1"), start + PLACE_SPARED);
        assert_eq!(then.unwrap().gave_way, Some(hers));
    }

    #[test]
    fn where_memory_holds_fewer_every_share_shrinks_alike() {
        assert_eq!(LIMIT.within(9), LIMIT);
        let half = AdmissionLimit {
            connections: 2,
            connections_per_network: 1,
            connections_per_address: 1,
        };
        assert_eq!(LIMIT.within(2), half);
    }
}
