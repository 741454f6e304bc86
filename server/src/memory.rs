//! How many connections this machine's memory holds.

/// What a connection may take of the relay's memory at worst: some 50 KB of TLS and its task, and 200 KB
/// for 1,024 registered addresses and as many cells that are to follow.
const CONNECTION_BYTES: u64 = 256 * 1024;
/// Share of the memory that connections may take together: the rest is the store's cache, the messages under
/// way and the system.
const CONNECTIONS_SHARE: u64 = 2;
/// Where a container is told how much it may use.
const CONTAINER_FILE: &str = "/sys/fs/cgroup/memory.max";

/// Connections for which there is memory.
pub(crate) fn connections_max() -> usize {
    let container = std::fs::read_to_string(CONTAINER_FILE).ok();
    let system = rustix::system::sysinfo();
    let machine = system.totalram.saturating_mul(system.mem_unit.into());
    held_by(machine, container.as_deref())
}

fn held_by(machine_bytes: u64, container: Option<&str>) -> usize {
    let container = container.and_then(|text| text.trim().parse().ok());
    let bytes = machine_bytes.min(container.unwrap_or(u64::MAX));
    usize::try_from(bytes / CONNECTIONS_SHARE / CONNECTION_BYTES).unwrap_or(usize::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_smaller_of_machine_and_container_counts() {
        let gibibyte = 1 << 30;
        assert_eq!(held_by(2 * gibibyte, None), 4096);
        assert_eq!(held_by(2 * gibibyte, Some("max\n")), 4096);
        assert_eq!(held_by(2 * gibibyte, Some("1073741824\n")), 2048);
        assert!(connections_max() > 0);
    }
}
