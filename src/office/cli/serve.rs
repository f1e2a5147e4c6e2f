//! `doorstep serve`.

use std::net::{SocketAddr, TcpListener};
use std::path::Path;
use std::time::Duration;

use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;
use tracing::Level;
use tracing_subscriber::filter::filter_fn;
use tracing_subscriber::layer::{Layer, SubscriberExt};
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{EnvFilter, fmt};

use super::args::{LogFormat, Serve};
use super::failure::Failure;
use super::{Access, OfficeContext, openid, print};
use crate::office::Office;
use crate::office::blobs::SweepReport;
use crate::office::demo;
use crate::office::http::{
    Acme, App, Assets, Lender, Limits, Metrics, Tls, Traffic, TrafficConfig, TrustedProxies,
    router, serve,
};
use crate::office::web_push::PushServices;
use crate::record::queue::OrderRule;

/// File descriptors reserved for other uses than connections.
const OTHER_FILES: u64 = 1_024;

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// The default log filter. Migrations are logged only if they fail.
const DEFAULT_LOG_FILTER: &str = "info,refinery_core=warn";

/// Minimum length of the metrics token, against guessing.
const MIN_TOKEN_LENGTH: usize = 20;

pub(super) fn run(context: &OfficeContext, asked: Serve) -> Result<(), Failure> {
    let traffic = traffic(&asked)?;
    let listener = TcpListener::bind(asked.listen).map_err(|error| {
        let listen = asked.listen;
        Failure::failed(format!("cannot listen on {listen}: {error}; choose another --listen"))
    })?;
    let address = listener.local_addr()?;
    let tls = tls(context, &asked)?;
    let scheme = if tls.is_some() { "https" } else { "http" };
    let public = openid::public(&asked.openid)?;
    let origin = public.clone().unwrap_or_else(|| format!("{scheme}://{address}"));
    let over_tls = tls.is_some() || origin.starts_with("https://");
    let provider = openid::provider(context, &asked.openid, origin)?;
    let (closing, heard) = watch::channel(false);
    let policy = super::conduct::policy(&asked.policy)?;
    // Some push services ask for a way to reach the operator.
    let contact = public.clone().filter(|origin| origin.starts_with("https://"));
    let services = PushServices::new(&asked.push_service, contact);
    let office = asked.attachments.of(context, Access::Create)?;
    let office = office.with_policy(policy).with_push_services(services);
    let office = office.with_approvals(asked.approvals.clone().unwrap_or_default());
    let office = office.with_audit_share(asked.audit_share);
    let (sweeping, scrubbing, notifying) = (office.clone(), office.clone(), office.clone());
    let (evaluating, importing) = (office.clone(), office.clone());
    let app = App {
        office,
        accounts: context.accounts.clone(),
        assets: Assets::built_in(),
        zone: asked.zone.zone,
        lender: lender(&asked),
        secure: over_tls || !asked.behind_proxy.is_empty() || !address.ip().is_loopback(),
        public,
        openid: provider,
        traffic: traffic.clone(),
        closing: heard,
    };
    if asked.demo {
        context.runtime.block_on(demo::fill(&context.office, &context.accounts))?;
        // So that the console shows findings from its first page on.
        context.runtime.block_on(evaluating.keep_conduct(|_| ()))?;
    }
    context.runtime.block_on(async {
        tokio::spawn(async move { evaluating.keep_evaluating().await });
        tokio::spawn(order_queues(context.office.clone(), asked.queue_order.clone()));
        tokio::spawn(async move { importing.keep_importing().await });
        tokio::spawn(sweep(sweeping, DAY * u32::from(asked.phone_days)));
        tokio::spawn(scrub(scrubbing));
        tokio::spawn(async move { notifying.keep_notifying().await });
        // Handle signals before printing the address: readers of it may stop the program at once.
        let stop = stop()?;
        print(format!("listening on {scheme}://{address}"))?;
        if asked.demo {
            print(about_demo(&context.address, scheme, address))?;
        }
        serve(router(app), listener, tls, traffic, closing, stop)
            .await
            .map_err(|error| Failure::failed(format!("cannot serve: {error}")))
    })
}

fn traffic(asked: &Serve) -> Result<Traffic, Failure> {
    let metrics_token = asked.metrics_token_file.as_deref().map(token).transpose()?;
    let proxies = TrustedProxies::new(asked.behind_proxy.iter().copied());
    let limits = Limits::default();
    // The system's limit of open files bounds connections; it is raised as far as possible.
    let files = rlimit::increase_nofile_limit(u64::MAX).unwrap_or(OTHER_FILES);
    let room = files.saturating_sub(OTHER_FILES).max(files / 2);
    let connections = limits.connections.min(usize::try_from(room).unwrap_or(usize::MAX));
    let limits = Limits { connections, ..limits };
    Ok(Traffic::new(TrafficConfig { limits, proxies, metrics: Metrics::install(), metrics_token }))
}

fn token(file: &Path) -> Result<String, Failure> {
    let name = file.display();
    let text = std::fs::read_to_string(file)
        .map_err(|error| Failure::failed(format!("cannot read {name}: {error}")))?;
    let token = text.trim();
    if token.len() < MIN_TOKEN_LENGTH {
        let make = "make one with: openssl rand -hex 32";
        return Err(Failure::failed(format!(
            "the token in {name} has fewer than {MIN_TOKEN_LENGTH} characters; {make}"
        )));
    }
    Ok(token.to_owned())
}

fn tls(context: &OfficeContext, asked: &Serve) -> Result<Option<Tls>, Failure> {
    if !asked.acme.is_empty() {
        let more = &asked.acme_more;
        let acme = Acme {
            domains: asked.acme.clone(),
            contact: more.acme_contact.clone(),
            directory: more.acme_directory.clone(),
            roots: more.acme_roots.clone(),
            folder: more.acme_folder.clone(),
        };
        let ready = Tls::acme(&acme).map_err(|error| {
            let check = "check --acme-folder and --acme-roots";
            Failure::failed(format!("cannot prepare certificates: {error}; {check}"))
        })?;
        return Ok(Some(ready));
    }
    let files = asked.tls_cert.as_deref().zip(asked.tls_key.as_deref());
    files.map(|(certificate, key)| load(context, certificate, key)).transpose()
}

fn load(context: &OfficeContext, certificate: &Path, key: &Path) -> Result<Tls, Failure> {
    context.runtime.block_on(Tls::load(certificate, key)).map_err(|error| {
        let (certificate, key) = (certificate.display(), key.display());
        let check = "check that both can be read, are PEM and belong together";
        Failure::failed(format!("cannot use {certificate} with {key}: {error}; {check}"))
    })
}

/// Expires accepted records and watched visits, sweeps attachments and deletes files of old imports,
/// at the start and then every day.
async fn sweep(office: Office, on_phones: Duration) {
    let mut days = tokio::time::interval(DAY);
    loop {
        days.tick().await;
        match office.expire_accepted(on_phones).await {
            Ok(0) => {}
            Ok(records) => tracing::info!(records, "accepted records withdrawn from phones"),
            Err(error) => {
                tracing::warn!(%error, "accepted records could not be withdrawn from phones")
            }
        }
        if let Err(error) = office.expire_safety_watches().await {
            tracing::warn!(%error, "positions of alarms could not be deleted");
        }
        match office.sweep_blobs().await {
            Ok(swept) if swept == SweepReport::default() => {}
            Ok(SweepReport { pieces, blobs }) => tracing::info!(pieces, blobs, "attachments swept"),
            Err(error) => tracing::warn!(%error, "attachments could not be swept"),
        }
        if let Err(error) = office.expire_imports().await {
            tracing::warn!(%error, "files of old imports could not be deleted");
        }
    }
}

/// Verifies attachments again, a few at a time, to find disk damage.
async fn scrub(office: Office) {
    loop {
        let pause = match office.scrub_blobs().await {
            Ok(step) => step.pause(),
            Err(error) => {
                tracing::warn!(%error, "attachments could not be scrubbed");
                DAY
            }
        };
        tokio::time::sleep(pause).await;
    }
}

/// Completes at the first signal to stop.
fn stop() -> Result<impl Future<Output = ()> + Send + 'static, Failure> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    Ok(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
    })
}

/// Sorts the console's queues by the rules that phones get.
async fn order_queues(office: Office, rules: Vec<OrderRule>) {
    if let Err(error) = office.set_queue_order(rules).await {
        tracing::error!(%error, "queues keep their former order until the next start");
    }
}

/// The lender from the options; the demo fills in invented values.
fn lender(asked: &Serve) -> Lender {
    let said = |text: &str, invented: &str| {
        let text = if text.is_empty() && asked.demo { invented } else { text };
        text.trim().to_owned()
    };
    Lender {
        name: said(&asked.lender, "Demo Finance 示例金融"),
        complaints: said(&asked.complaints, "400-000-0000, complaints@demo.invalid"),
        queue_order: asked.queue_order.clone(),
    }
}

/// Starts logging to standard error, filtered by `DOORSTEP_LOG`.
pub(super) fn start_log(format: LogFormat) {
    let filter = EnvFilter::try_from_env("DOORSTEP_LOG")
        .unwrap_or_else(|_| EnvFilter::new(DEFAULT_LOG_FILTER));
    let layer = fmt::layer().with_writer(std::io::stderr);
    let layer = match format {
        LogFormat::Json => layer.json().flatten_event(true).with_span_list(false).boxed(),
        LogFormat::Text => layer.with_ansi(false).boxed(),
    };
    let log = tracing_subscriber::registry().with(filter);
    // Fails only if there is a subscriber already.
    let _ = log.with(layer.with_filter(filter_fn(is_free_of_personal_data))).try_init();
    // Log where it panicked, not the message, which may contain personal data.
    std::panic::set_hook(Box::new(|panic| {
        let (file, line) = panic.location().map_or(("", 0), |at| (at.file(), at.line()));
        tracing::error!(file, line, "panicked");
    }));
}

/// Drops debug logs of libraries at any level, since they may contain personal data: Automerge logs
/// every value that it writes.
fn is_free_of_personal_data(line: &tracing::Metadata<'_>) -> bool {
    let target = line.target();
    let own = target.starts_with("doorstep");
    own || (*line.level() <= Level::INFO && !target.starts_with("automerge"))
}

fn about_demo(database: &str, scheme: &str, address: SocketAddr) -> String {
    let data = database.strip_prefix("sqlite:").map_or_else(
        || database.into(),
        |file| Path::new(file).canonicalize().unwrap_or_else(|_| file.into()),
    );
    let mut lines = vec![
        String::new(),
        format!("  field app   {scheme}://{address}/"),
        format!("  console     {scheme}://{address}/office/"),
        format!("  data        {}", data.display()),
        String::new(),
        format!("  sign in with the password {}:", demo::PASSWORD),
    ];
    lines.extend(demo::PEOPLE.iter().map(|person| {
        format!("    {:<10} {:<10} {}", person.name, person.role.as_str(), person.display_name)
    }));
    lines.extend([String::new(), "  Every borrower is invented.".to_owned()]);
    if !address.ip().is_loopback() {
        lines.push("  Others can reach this address, and the password is no secret.".to_owned());
    }
    lines.join("\n")
}
