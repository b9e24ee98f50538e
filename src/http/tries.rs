//! Failed tries to sign in, by address, so that nobody tries tokens for long.
//!
//! Once an address has failed too often it is shut until its minute is over, for right tokens too: an answer then
//! tells nothing about the token. Browsers that are signed in already go on.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// So many tries may fail within [`WINDOW`].
const MOST: u32 = 10;

/// Counted from the first that failed.
const WINDOW: Duration = Duration::from_mins(1);

/// So many addresses are remembered at a time; past it, the one that failed first is forgotten.
const ADDRESSES: usize = 10_000;

/// Who has failed lately. Cheap to clone; all clones are one.
#[derive(Clone, Debug, Default)]
pub struct Tries(Arc<Mutex<HashMap<IpAddr, Window>>>);

#[derive(Clone, Copy, Debug)]
struct Window {
    since: Duration,
    failed: u32,
}

impl Window {
    fn left(&self, now: Duration) -> Option<Duration> {
        (self.since + WINDOW).checked_sub(now).filter(|left| !left.is_zero())
    }
}

/// An address that has failed too often, and how long it is shut yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Shut(pub(super) Duration);

impl Tries {
    /// Whether this address may try.
    pub(super) fn open(&self, address: IpAddr, now: Duration) -> Result<(), Shut> {
        let windows = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let window = windows.get(&network(address)).filter(|window| window.failed >= MOST);
        window.and_then(|window| window.left(now)).map_or(Ok(()), |left| Err(Shut(left)))
    }

    /// Notes that a try has failed; refused if the address was shut meanwhile, as when many are sent at once.
    pub(super) fn failed(&self, address: IpAddr, now: Duration) -> Result<(), Shut> {
        self.open(address, now)?;
        let mut windows = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let key = network(address);
        if windows.get(&key).is_none_or(|window| window.left(now).is_none()) {
            windows.remove(&key);
            make_room(&mut windows, now);
            windows.insert(key, Window { since: now, failed: 0 });
        }
        if let Some(window) = windows.get_mut(&key) {
            window.failed += 1;
        }
        Ok(())
    }
}

fn make_room(windows: &mut HashMap<IpAddr, Window>, now: Duration) {
    if windows.len() < ADDRESSES {
        return;
    }
    windows.retain(|_, window| window.left(now).is_some());
    let first = windows.iter().min_by_key(|(_, window)| window.since).map(|(address, _)| *address);
    if let Some(first) = first.filter(|_| windows.len() >= ADDRESSES) {
        windows.remove(&first);
    }
}

/// What counts as one address: of IPv6 a /64, since that is what one customer has.
fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(six) => IpAddr::V6(Ipv6Addr::from_bits(six.to_bits() & !u128::from(u64::MAX))),
        four @ IpAddr::V4(_) => four,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(n: u32) -> IpAddr {
        IpAddr::V4(n.into())
    }

    fn seconds(n: u64) -> Duration {
        Duration::from_secs(n)
    }

    #[test]
    fn an_address_that_failed_ten_times_is_shut_until_its_minute_is_over() {
        let (tries, one) = (Tries::default(), address(1));
        for n in 0..10 {
            assert_eq!(tries.failed(one, seconds(n)), Ok(()), "{n}");
        }
        assert_eq!(tries.open(one, seconds(20)), Err(Shut(seconds(40))));
        assert_eq!(tries.failed(one, seconds(59)), Err(Shut(seconds(1))), "does not make it longer");
        assert_eq!(tries.open(address(2), seconds(20)), Ok(()), "another goes on");
        assert_eq!(tries.open(one, seconds(60)), Ok(()));
        assert_eq!(tries.failed(one, seconds(60)), Ok(()));
        assert_eq!(tries.open(one, seconds(60)), Ok(()), "counted anew");
    }

    #[test]
    fn neighbours_in_ipv6_are_one_and_a_mapped_address_is_its_own() {
        let tries = Tries::default();
        for n in 0..10_u16 {
            let one = IpAddr::V6(Ipv6Addr::new(0x2001, 0xdb8, 0, 1, n, 2, 3, n));
            assert_eq!(tries.failed(one, seconds(0)), Ok(()));
        }
        assert!(tries.open("2001:db8:0:1::9".parse().expect("an address"), seconds(1)).is_err());
        assert!(tries.open("2001:db8:0:2::9".parse().expect("an address"), seconds(1)).is_ok());
        assert_eq!(network("::ffff:1.2.3.4".parse().expect("an address")), address(0x0102_0304));
    }

    #[test]
    fn however_many_addresses_fail_the_memory_is_bounded() {
        let tries = Tries::default();
        for n in 0..u32::try_from(ADDRESSES).unwrap_or_default() + 50 {
            assert_eq!(tries.failed(address(n), seconds(0)), Ok(()));
        }
        assert_eq!(tries.0.lock().expect("nobody panicked").len(), ADDRESSES);
        assert_eq!(tries.failed(address(u32::MAX), seconds(61)), Ok(()));
        assert_eq!(tries.0.lock().expect("nobody panicked").len(), 1, "what is over is forgotten");
    }
}
