//! The cookies, and how they are read and written.

use axum::http::{HeaderMap, HeaderValue, header};

/// A cookie.
#[derive(Debug, Clone, Copy)]
pub(super) struct Cookie {
    /// The prefix `__Host-` makes browsers refuse the cookie from other subdomains and without TLS.
    secure_name: &'static str,
    plain_name: &'static str,
    /// Strict: sent with requests of the own pages alone. Lax: also when another site leads here.
    same_site: &'static str,
}

/// The token of a sign-in.
pub(super) const SESSION: Cookie = Cookie {
    secure_name: "__Host-doorstep_session",
    plain_name: "doorstep_session",
    same_site: "Strict",
};

/// The device id of a browser, so that every sign-in in it is on the same device.
pub(super) const DEVICE: Cookie = Cookie {
    secure_name: "__Host-doorstep_device",
    plain_name: "doorstep_device",
    same_site: "Strict",
};

/// State of a sign-in while the user is at the identity provider.
pub(super) const OPENID_STATE: Cookie = Cookie {
    secure_name: "__Host-doorstep_leaving",
    plain_name: "doorstep_leaving",
    same_site: "Lax",
};

impl Cookie {
    pub(super) const fn name(self, secure: bool) -> &'static str {
        if secure { self.secure_name } else { self.plain_name }
    }
}

/// The first cookie of that name that can be read.
pub(super) fn get<T>(
    headers: &HeaderMap,
    cookie: Cookie,
    secure: bool,
    parse: impl Fn(&str) -> Option<T>,
) -> Option<T> {
    let cookies = headers.get_all(header::COOKIE).into_iter();
    cookies
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(';'))
        .filter_map(|pair| pair.trim().split_once('='))
        .filter(|(name, _)| *name == cookie.name(secure))
        .find_map(|(_, value)| parse(value))
}

/// Sets a cookie that lasts `seconds`; zero deletes it.
pub(super) fn set(cookie: Cookie, value: &str, seconds: i64, secure: bool) -> HeaderValue {
    let (name, same_site) = (cookie.name(secure), cookie.same_site);
    let only_tls = if secure { "; Secure" } else { "" };
    let text = format!(
        "{name}={value}; Path=/; Max-Age={seconds}; HttpOnly; SameSite={same_site}{only_tls}"
    );
    // Hex, dots and constants: never a character that a header can't hold.
    HeaderValue::try_from(text).unwrap_or_else(|_| HeaderValue::from_static(""))
}
