use std::time::Duration;

use super::{Backoff, retry_after};
use crate::config::Patience;

const PATIENCE: Patience = Patience {
    connect: Duration::ZERO,
    answer: Duration::ZERO,
    stall: Duration::ZERO,
    tries: 5,
    first_pause: Duration::from_millis(100),
    longest_pause: Duration::from_millis(300),
};

#[test]
fn pauses_double_up_to_the_longest_and_end() {
    let mut backoff = Backoff::new(PATIENCE);
    for longest in [100, 200, 300, 300] {
        let pause = backoff.next(None).expect("a pause");
        assert!(
            pause <= Duration::from_millis(longest),
            "{pause:?} > {longest} ms"
        );
        assert!(
            pause >= Duration::from_millis(longest / 2),
            "{pause:?} < {} ms",
            longest / 2
        );
    }
    assert_eq!(backoff.next(None), None);
}

#[test]
fn progress_starts_again() {
    let mut backoff = Backoff::new(PATIENCE);
    while backoff.next(None).is_some() {}
    backoff.progressed();
    assert!(backoff.next(None).expect("a pause") <= Duration::from_millis(100));
}

#[test]
fn what_a_registry_asks_for_is_taken_within_reason() {
    let mut backoff = Backoff::new(PATIENCE);
    let asked = Duration::from_millis(250);
    assert_eq!(backoff.next(Some(asked)), Some(asked));
    assert_eq!(backoff.next(Some(Duration::from_secs(3600))), None);
}

#[test]
fn retry_after_in_seconds() {
    assert_eq!(retry_after(" 7 "), Some(Duration::from_secs(7)));
    for other in ["", "-1", "1.5", "Wed, 21 Oct 2015 07:28:00 GMT"] {
        assert_eq!(retry_after(other), None, "{other}");
    }
}
