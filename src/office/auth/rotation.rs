//! How the tokens of a sign-in follow each other.
//!
//! Once a day an answer carries the next token. The old one stays good until the client has shown
//! that it holds the next, so an answer that is lost costs nothing: the same next token is handed
//! out again. After that the old one is good for requests that were under way, and for a browser
//! that died before it wrote the cookie down. It ends with the first use of the new one that comes
//! later than [`GRACE`]. Whoever shows it after that has a copy: the sign-in ends, since nobody can
//! tell which of the two is the owner.

use super::session::Lifetime;
use crate::office::store::{SignIn, TokenHash};

/// A token is replaced after this time, ms.
const RENEW_EVERY: i64 = 24 * 60 * 60 * 1000;

/// Longer than any request takes, and than a browser takes to write a cookie to its disk, ms.
pub(super) const GRACE: i64 = 10 * 60 * 1000;

/// A use is written down once in this time and not at every request, ms.
pub(super) const USED_EVERY: i64 = 60 * 60 * 1000;

/// What the use of a token makes of its sign-in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Use {
    /// It is good.
    Good {
        /// The sign-in as it is to be written, where that is worth a write.
        write: Option<SignIn>,
        /// The client is to be given the token that follows the one it showed.
        renew: bool,
    },
    /// It ended, by time or from outside.
    Ended,
    /// It was replaced long ago: somebody kept a copy.
    Copied,
}

/// Judges the use of a token. `successor` is what follows the token that was shown.
pub(super) fn judge(
    sign_in: &SignIn,
    shown: &TokenHash,
    successor: TokenHash,
    lifetime: Lifetime,
    now: i64,
) -> Use {
    if sign_in.ended || sign_in.expires_at <= now {
        return Use::Ended;
    }
    let used = SignIn {
        used_at: now,
        expires_at: lifetime.end(sign_in.created_at, now),
        ..sign_in.clone()
    };
    if sign_in.next.as_ref() == Some(shown) {
        let renewed = SignIn {
            token: *shown,
            renewed_at: now,
            next: None,
            last: Some(sign_in.token),
            ..used
        };
        return Use::Good { write: Some(renewed), renew: false };
    }
    let proven_from = sign_in.renewed_at.saturating_add(GRACE);
    if sign_in.token != *shown {
        return match sign_in.used_at > proven_from {
            true => Use::Copied,
            // What follows it is the current token.
            false => Use::Good { write: None, renew: true },
        };
    }
    let renew = now.saturating_sub(sign_in.renewed_at) >= RENEW_EVERY;
    let next = if renew { Some(successor) } else { sign_in.next };
    let due = now.saturating_sub(sign_in.used_at) >= USED_EVERY
        || next != sign_in.next
        || (sign_in.last.is_some() && sign_in.used_at <= proven_from && now > proven_from);
    Use::Good { write: due.then_some(SignIn { next, ..used }), renew }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ids::DeviceId;
    use crate::record::terms::Role;

    const DAY: i64 = RENEW_EVERY;
    const FIRST: TokenHash = [1; 32];
    const SECOND: TokenHash = [2; 32];
    const THIRD: TokenHash = [3; 32];

    fn lifetime() -> Lifetime {
        Lifetime::of(Role::Collector)
    }

    fn begun() -> SignIn {
        SignIn {
            device: DeviceId([7; 16]),
            user: "chen.jie".to_owned(),
            created_at: 0,
            used_at: 0,
            expires_at: lifetime().end(0, 0),
            token: FIRST,
            renewed_at: 0,
            next: None,
            last: None,
            ended: false,
        }
    }

    fn after(token: &TokenHash) -> TokenHash {
        token.map(|byte| byte + 1)
    }

    /// Uses a token and keeps what is to be written; gives whether the next one is handed out.
    fn use_it(sign_in: &mut SignIn, shown: TokenHash, now: i64) -> bool {
        match judge(sign_in, &shown, after(&shown), lifetime(), now) {
            Use::Good { write, renew } => {
                if let Some(write) = write {
                    *sign_in = write;
                }
                renew
            }
            other => panic!("{other:?}"),
        }
    }

    fn is_copied(sign_in: &SignIn, shown: TokenHash, now: i64) -> bool {
        judge(sign_in, &shown, after(&shown), lifetime(), now) == Use::Copied
    }

    #[test]
    fn an_answer_may_be_lost_any_number_of_times() {
        let mut sign_in = begun();
        assert!(!use_it(&mut sign_in, FIRST, DAY - 1));
        for hour in 0..100 {
            assert!(
                use_it(&mut sign_in, FIRST, DAY + hour * USED_EVERY),
                "the same is given again"
            );
            assert_eq!(sign_in.next, Some(SECOND));
        }
        assert!(!use_it(&mut sign_in, SECOND, 6 * DAY));
        assert_eq!((sign_in.token, sign_in.next, sign_in.last), (SECOND, None, Some(FIRST)));
    }

    #[test]
    fn requests_under_way_and_a_browser_that_died_still_come_in() {
        let mut sign_in = begun();
        assert!(use_it(&mut sign_in, FIRST, DAY));
        assert!(!use_it(&mut sign_in, SECOND, DAY + 1));
        assert!(use_it(&mut sign_in, FIRST, DAY + 2), "under way, and given the newer one again");
        assert!(!use_it(&mut sign_in, SECOND, DAY + GRACE));
        // The new cookie was never written to disk, and the phone was off for three weeks.
        assert!(use_it(&mut sign_in, FIRST, 22 * DAY));
        assert!(use_it(&mut sign_in, SECOND, 22 * DAY + 1), "by now it is a day old itself");
        assert_eq!(sign_in.next, Some(THIRD));
    }

    #[test]
    fn a_copy_of_a_replaced_token_ends_the_sign_in() {
        let mut sign_in = begun();
        assert!(use_it(&mut sign_in, FIRST, DAY));
        use_it(&mut sign_in, SECOND, DAY + 1);
        use_it(&mut sign_in, SECOND, DAY + 1 + GRACE);
        assert!(!is_copied(&sign_in, FIRST, DAY + 1 + GRACE), "that was the last good moment");
        use_it(&mut sign_in, SECOND, DAY + 2 + GRACE);
        assert!(is_copied(&sign_in, FIRST, DAY + 3 + GRACE));
    }

    #[test]
    fn a_sign_in_ends_unused_and_in_any_case() {
        let mut sign_in = begun();
        assert_eq!(judge(&sign_in, &FIRST, SECOND, lifetime(), lifetime().idle), Use::Ended);
        let mut token = FIRST;
        for day in 1..lifetime().absolute / DAY {
            if use_it(&mut sign_in, token, day * DAY) {
                token = after(&token);
                use_it(&mut sign_in, token, day * DAY + 1);
            }
        }
        assert_eq!(sign_in.expires_at, lifetime().absolute);
        let end = lifetime().absolute;
        assert_eq!(judge(&sign_in, &token, after(&token), lifetime(), end), Use::Ended);
    }
}
