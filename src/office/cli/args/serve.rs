//! Options of `doorstep serve`.

use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::{Attachments, Zone};
use crate::office::approvals::ApprovalRules;
use crate::office::auth::openid::NameClaim;
use crate::record::queue::OrderRule;

#[derive(Args)]
pub(in crate::office::cli) struct Serve {
    /// Address and port to listen on; port 0 picks a free one
    #[arg(long, env = "DOORSTEP_LISTEN", default_value = "127.0.0.1:8787", value_name = "ADDRESS")]
    pub(in crate::office::cli) listen: SocketAddr,
    /// Create the demo's users and invented cases if they are missing
    #[arg(long)]
    pub(in crate::office::cli) demo: bool,
    /// Certificate chain, PEM
    #[arg(long, env = "DOORSTEP_TLS_CERT", requires = "tls_key", value_name = "FILE")]
    pub(in crate::office::cli) tls_cert: Option<PathBuf>,
    /// Private key of the certificate, PEM
    #[arg(long, env = "DOORSTEP_TLS_KEY", requires = "tls_cert", value_name = "FILE")]
    pub(in crate::office::cli) tls_key: Option<PathBuf>,
    /// The lender's name, printed on borrowers' copies
    #[arg(long, env = "DOORSTEP_LENDER", default_value = "", value_name = "NAME")]
    pub(in crate::office::cli) lender: String,
    /// How to complain, printed on borrowers' copies
    #[arg(long, env = "DOORSTEP_COMPLAINTS", default_value = "", value_name = "TEXT")]
    pub(in crate::office::cli) complaints: String,
    /// How phones sort their lists: due, priority, promise, area, age; most important first
    #[arg(long, env = "DOORSTEP_QUEUE_ORDER", value_delimiter = ',', value_parser = order_rule, value_name = "RULES")]
    pub(in crate::office::cli) queue_order: Vec<OrderRule>,
    /// A push service of your own, besides the public ones of browsers; may be repeated
    #[arg(long, env = "DOORSTEP_PUSH_SERVICE", value_delimiter = ',', value_name = "URL")]
    pub(in crate::office::cli) push_service: Vec<reqwest::Url>,
    /// Get certificates for this domain by ACME, from Let's Encrypt by default; may be repeated
    #[arg(
        long,
        env = "DOORSTEP_ACME",
        value_delimiter = ',',
        conflicts_with = "tls_cert",
        value_name = "DOMAIN"
    )]
    pub(in crate::office::cli) acme: Vec<String>,
    #[command(flatten)]
    pub(in crate::office::cli) acme_more: AcmeMore,
    /// Trusted reverse proxy that sets X-Forwarded-For; may be repeated
    #[arg(long, env = "DOORSTEP_BEHIND_PROXY", value_delimiter = ',', value_name = "ADDRESS")]
    pub(in crate::office::cli) behind_proxy: Vec<IpAddr>,
    /// File with a bearer token for reading /metrics from other machines
    #[arg(long, env = "DOORSTEP_METRICS_TOKEN_FILE", value_name = "FILE")]
    pub(in crate::office::cli) metrics_token_file: Option<PathBuf>,
    /// Format of the log on standard error
    #[arg(long, env = "DOORSTEP_LOG_FORMAT", value_enum, default_value = "text")]
    pub(in crate::office::cli) log_format: LogFormat,
    #[command(flatten)]
    pub(in crate::office::cli) openid: OpenIdOptions,
    #[command(flatten)]
    pub(in crate::office::cli) attachments: Attachments,
    #[command(flatten)]
    pub(in crate::office::cli) zone: Zone,
    /// The lender's conduct policy layer, TOML; may be repeated
    #[arg(long, value_name = "FILE")]
    pub(in crate::office::cli) policy: Vec<PathBuf>,
    /// Changes that one person proposes and another one approves: hold, quarantine, erasure,
    /// plan=AMOUNT (records with a repayment plan above it, in whole units of the currency),
    /// option=KIND (records with a plan of this kind), outcome=OUTCOME (of the visit)
    #[arg(long, env = "DOORSTEP_APPROVALS", value_parser = approvals, value_name = "RULES")]
    pub(in crate::office::cli) approvals: Option<ApprovalRules>,
    /// Percent of the sealed records that are drawn for an audit
    #[arg(
        long,
        env = "DOORSTEP_AUDIT_SHARE",
        default_value_t = 0,
        value_parser = clap::value_parser!(u8).range(0..=100),
        value_name = "PERCENT"
    )]
    pub(in crate::office::cli) audit_share: u8,
    /// Days that phones keep a record after it was accepted
    #[arg(
        long,
        env = "DOORSTEP_PHONE_DAYS",
        default_value_t = 30,
        value_parser = clap::value_parser!(u16).range(0..=3_650),
        value_name = "DAYS"
    )]
    pub(in crate::office::cli) phone_days: u16,
}

#[derive(Args)]
pub(in crate::office::cli) struct AcmeMore {
    /// Contact for the ACME account
    #[arg(long, env = "DOORSTEP_ACME_CONTACT", requires = "acme", value_name = "EMAIL")]
    pub(in crate::office::cli) acme_contact: Option<String>,
    /// ACME directory [default: Let's Encrypt]
    #[arg(long, env = "DOORSTEP_ACME_DIRECTORY", requires = "acme", value_name = "URL")]
    pub(in crate::office::cli) acme_directory: Option<String>,
    /// Root certificates of that directory, PEM
    #[arg(long, env = "DOORSTEP_ACME_ROOTS", requires = "acme", value_name = "FILE")]
    pub(in crate::office::cli) acme_roots: Option<PathBuf>,
    /// Folder for the ACME account key and the certificates
    #[arg(long, env = "DOORSTEP_ACME_FOLDER", default_value = "acme", value_name = "FOLDER")]
    pub(in crate::office::cli) acme_folder: PathBuf,
}

#[derive(Args)]
pub(in crate::office::cli) struct OpenIdOptions {
    /// Public origin of the office, such as https://office.example, if it differs from the listen
    /// address
    #[arg(long, env = "DOORSTEP_PUBLIC_URL", value_name = "URL")]
    pub(in crate::office::cli) public_url: Option<String>,
    /// Issuer of an OpenID Connect provider to offer for signing in
    #[arg(long, env = "DOORSTEP_OIDC_ISSUER", requires = "oidc_client_id", value_name = "URL")]
    pub(in crate::office::cli) oidc_issuer: Option<String>,
    /// Client id at the provider
    #[arg(long, env = "DOORSTEP_OIDC_CLIENT_ID", requires = "oidc_issuer", value_name = "ID")]
    pub(in crate::office::cli) oidc_client_id: Option<String>,
    /// File with the client secret
    #[arg(
        long,
        env = "DOORSTEP_OIDC_CLIENT_SECRET_FILE",
        requires = "oidc_issuer",
        value_name = "FILE"
    )]
    pub(in crate::office::cli) oidc_client_secret_file: Option<PathBuf>,
    /// Claim with the user's name: preferred_username, email or sub
    #[arg(long, env = "DOORSTEP_OIDC_CLAIM", default_value = "preferred_username", value_parser = claim)]
    pub(in crate::office::cli) oidc_claim: NameClaim,
    /// Required domain of the claim, such as lender.example; it is removed from the name
    #[arg(long, env = "DOORSTEP_OIDC_DOMAIN", requires = "oidc_issuer", value_name = "DOMAIN")]
    pub(in crate::office::cli) oidc_domain: Option<String>,
    /// Create collector accounts for unknown users
    #[arg(long, env = "DOORSTEP_OIDC_ENROL", requires = "oidc_issuer")]
    pub(in crate::office::cli) oidc_enrol: bool,
    /// Label of the sign-in button
    #[arg(
        long,
        env = "DOORSTEP_OIDC_LABEL",
        default_value = "OpenID Connect",
        value_name = "NAME"
    )]
    pub(in crate::office::cli) oidc_label: String,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(in crate::office::cli) enum LogFormat {
    Text,
    Json,
}

fn approvals(text: &str) -> Result<ApprovalRules, String> {
    text.parse().map_err(str::to_owned)
}

fn order_rule(word: &str) -> Result<OrderRule, String> {
    OrderRule::parse(word.trim())
        .ok_or_else(|| "a rule is due, priority, promise, area or age".to_owned())
}

fn claim(word: &str) -> Result<NameClaim, String> {
    match word {
        "preferred_username" => Ok(NameClaim::PreferredUsername),
        "email" => Ok(NameClaim::Email),
        "sub" => Ok(NameClaim::Subject),
        _ => Err("a claim is preferred_username, email or sub".to_owned()),
    }
}
