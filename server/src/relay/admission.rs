//! How many connections there may be, in total and from one network address.
//!
//! An address is only ever held as a hash under a key that this process made for itself, in memory, and
//! only while a connection of it is open: nobody is banned, since an abuser may share her address. [L-1] [L-2]

use std::{
    collections::HashMap,
    hash::Hasher,
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
};

use siphasher::sip128::{Hasher128, SipHasher24};

/// How many at most.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct AdmissionLimit {
    pub(crate) connections: usize,
    pub(crate) connections_per_address: usize,
}

/// Open connections.
pub(crate) struct Admission {
    limit: AdmissionLimit,
    key: [u8; 16],
    total: usize,
    by_address: HashMap<u128, usize>,
}

/// What a connection gives back when it ends.
#[derive(PartialEq, Eq)]
pub(crate) struct Admitted {
    address: u128,
}

impl Admission {
    /// Nobody is there yet. The key is random, and never leaves the process.
    pub(crate) fn new(limit: AdmissionLimit, key: [u8; 16]) -> Self {
        Self {
            limit,
            key,
            total: 0,
            by_address: HashMap::new(),
        }
    }

    /// Takes a place, if there is one.
    pub(crate) fn admit(&mut self, address: IpAddr) -> Option<Admitted> {
        let address = self.hash(address);
        let of_address = self.by_address.get(&address).copied().unwrap_or_default();
        if self.total >= self.limit.connections || of_address >= self.limit.connections_per_address
        {
            return None;
        }
        self.total += 1;
        self.by_address.insert(address, of_address + 1);
        Some(Admitted { address })
    }

    /// Gives a place back.
    pub(crate) fn release(&mut self, admitted: &Admitted) {
        self.total = self.total.saturating_sub(1);
        if let Some(count) = self.by_address.get_mut(&admitted.address) {
            *count -= 1;
            if *count == 0 {
                self.by_address.remove(&admitted.address);
            }
        }
    }

    fn hash(&self, address: IpAddr) -> u128 {
        let mut hasher = SipHasher24::new_with_key(&self.key);
        match address.to_canonical() {
            IpAddr::V4(address) => hasher.write(&Ipv4Addr::octets(&address)),
            // A household or a server has a whole /64.
            IpAddr::V6(address) => hasher.write(&Ipv6Addr::octets(&address)[..8]),
        }
        hasher.finish128().as_u128()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMIT: AdmissionLimit = AdmissionLimit {
        connections: 3,
        connections_per_address: 2,
    };

    fn ip(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[test]
    fn one_address_gets_its_share_and_a_place_comes_back() {
        let mut admission = Admission::new(LIMIT, [7; 16]);
        let first = admission.admit(ip("192.0.2.1")).unwrap();
        assert!(admission.admit(ip("::ffff:192.0.2.1")).is_some());
        assert!(admission.admit(ip("192.0.2.1")).is_none());
        admission.release(&first);
        assert!(admission.admit(ip("192.0.2.1")).is_some());
    }

    #[test]
    fn all_addresses_together_get_no_more_than_the_total() {
        let mut admission = Admission::new(LIMIT, [7; 16]);
        let places = ["192.0.2.1", "192.0.2.2", "192.0.2.3"].map(|text| admission.admit(ip(text)));
        assert!(places.iter().all(Option::is_some));
        assert!(admission.admit(ip("192.0.2.4")).is_none());
        for place in places.iter().flatten() {
            admission.release(place);
        }
        assert!(admission.by_address.is_empty());
    }

    #[test]
    fn the_addresses_of_one_ipv6_network_count_as_one() {
        let mut admission = Admission::new(LIMIT, [7; 16]);
        assert!(admission.admit(ip("2001:db8::1")).is_some());
        assert!(admission.admit(ip("2001:db8::2")).is_some());
        assert!(admission.admit(ip("2001:db8::3")).is_none());
        assert!(admission.admit(ip("2001:db8:0:1::3")).is_some());
    }
}
