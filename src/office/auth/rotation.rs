//! Rotation of a sign-in's tokens.
//!
//! Once a day a response carries the next token. The old one stays valid until the client has
//! presented the next, so a lost response costs nothing: the same next token is issued again. After
//! that the old one stays valid for concurrent requests and for a browser that crashed before it
//! saved the cookie, until the first use of the new one that comes later than [`GRACE`]. Using it
//! after that means that the token was copied: the sign-in ends, because the owner can't be told
//! from the thief.

use super::session::Lifetime;
use crate::office::store::{SignIn, TokenHash};

/// A token is replaced after this time, ms.
const RENEW_EVERY: i64 = 24 * 60 * 60 * 1000;

/// Longer than any request, and longer than a browser takes to save a cookie, ms.
pub(super) const GRACE: i64 = 10 * 60 * 1000;

/// Uses are stored at this interval and not at every request, ms.
pub(super) const USED_EVERY: i64 = 60 * 60 * 1000;

/// The outcome of using a token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum TokenUse {
    /// The token is valid.
    Valid {
        /// The updated sign-in, if it has to be stored.
        write: Option<SignIn>,
        /// Issue the successor of the presented token.
        renew: bool,
    },
    /// The sign-in has expired or was ended.
    Ended,
    /// The token was replaced before: it was copied.
    Replayed,
}

/// Checks the use of a token. `successor` is the successor of the presented token.
pub(super) fn check_token(
    sign_in: &SignIn,
    shown: &TokenHash,
    successor: TokenHash,
    lifetime: Lifetime,
    now: i64,
) -> TokenUse {
    if sign_in.ended || sign_in.expires_at <= now {
        return TokenUse::Ended;
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
        return TokenUse::Valid { write: Some(renewed), renew: false };
    }
    let proven_from = sign_in.renewed_at.saturating_add(GRACE);
    if sign_in.token != *shown {
        return match sign_in.used_at > proven_from {
            true => TokenUse::Replayed,
            // Its successor is the current token.
            false => TokenUse::Valid { write: None, renew: true },
        };
    }
    let renew = now.saturating_sub(sign_in.renewed_at) >= RENEW_EVERY;
    let next = if renew { Some(successor) } else { sign_in.next };
    let due = now.saturating_sub(sign_in.used_at) >= USED_EVERY
        || next != sign_in.next
        || (sign_in.last.is_some() && sign_in.used_at <= proven_from && now > proven_from);
    TokenUse::Valid { write: due.then_some(SignIn { next, ..used }), renew }
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

    /// Uses a token and applies the write; gives whether the next token is issued.
    fn use_it(sign_in: &mut SignIn, shown: TokenHash, now: i64) -> bool {
        match check_token(sign_in, &shown, after(&shown), lifetime(), now) {
            TokenUse::Valid { write, renew } => {
                if let Some(write) = write {
                    *sign_in = write;
                }
                renew
            }
            other => panic!("{other:?}"),
        }
    }

    fn is_copied(sign_in: &SignIn, shown: TokenHash, now: i64) -> bool {
        check_token(sign_in, &shown, after(&shown), lifetime(), now) == TokenUse::Replayed
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
        assert_eq!(
            check_token(&sign_in, &FIRST, SECOND, lifetime(), lifetime().idle),
            TokenUse::Ended
        );
        let mut token = FIRST;
        for day in 1..lifetime().absolute / DAY {
            if use_it(&mut sign_in, token, day * DAY) {
                token = after(&token);
                use_it(&mut sign_in, token, day * DAY + 1);
            }
        }
        assert_eq!(sign_in.expires_at, lifetime().absolute);
        let end = lifetime().absolute;
        assert_eq!(check_token(&sign_in, &token, after(&token), lifetime(), end), TokenUse::Ended);
    }
}
