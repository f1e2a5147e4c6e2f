//! `doorstep serve`.

use std::net::{SocketAddr, TcpListener};
use std::path::Path;
use std::time::Duration;

use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;
use tracing_subscriber::EnvFilter;

use super::failure::Failure;
use super::{Desk, Serve, openid, print};
use crate::office::Office;
use crate::office::blobs::Swept;
use crate::office::demo;
use crate::office::http::{App, Lender, Pages, Tls, router, serve};

pub(super) fn run(desk: &Desk, asked: Serve) -> Result<(), Failure> {
    start_log();
    let listener = TcpListener::bind(asked.listen).map_err(|error| {
        let listen = asked.listen;
        Failure::failed(format!("cannot listen on {listen}: {error}; choose another --listen"))
    })?;
    let address = listener.local_addr()?;
    let tls = asked.tls_cert.as_deref().zip(asked.tls_key.as_deref());
    let tls = tls.map(|(certificate, key)| load(desk, certificate, key)).transpose()?;
    let scheme = if tls.is_some() { "https" } else { "http" };
    let public = openid::public(&asked.openid)?;
    let origin = public.clone().unwrap_or_else(|| format!("{scheme}://{address}"));
    let over_tls = tls.is_some() || origin.starts_with("https://");
    let provider = openid::provider(desk, &asked.openid, origin)?;
    let (closing, heard) = watch::channel(false);
    let policy = super::conduct::policy(&asked.policy)?;
    let office = asked.attachments.of(&desk.office)?.with_policy(policy);
    let sweeping = office.clone();
    let app = App {
        office,
        accounts: desk.accounts.clone(),
        pages: Pages::built_in(),
        zone: asked.zone.zone,
        lender: lender(&asked),
        secure: over_tls || !address.ip().is_loopback(),
        public,
        openid: provider,
        closing: heard,
    };
    if asked.demo {
        desk.runtime.block_on(demo::fill(&desk.office, &desk.accounts))?;
    }
    desk.runtime.block_on(async {
        tokio::spawn(sweep(sweeping));
        // Signals are heard from here on: whoever reads the address may stop the program.
        let stop = stop()?;
        print(format!("listening on {scheme}://{address}"))?;
        if asked.demo {
            print(about_demo(&desk.address, scheme, address))?;
        }
        serve(router(app), listener, tls, closing, stop)
            .await
            .map_err(|error| Failure::failed(format!("cannot serve: {error}")))
    })
}

fn load(desk: &Desk, certificate: &Path, key: &Path) -> Result<Tls, Failure> {
    desk.runtime.block_on(Tls::load(certificate, key)).map_err(|error| {
        let (certificate, key) = (certificate.display(), key.display());
        let check = "check that both can be read, are PEM and belong together";
        Failure::failed(format!("cannot use {certificate} with {key}: {error}; {check}"))
    })
}

/// Sweeps attachments at the start and then every day.
async fn sweep(office: Office) {
    let mut days = tokio::time::interval(Duration::from_secs(24 * 60 * 60));
    loop {
        days.tick().await;
        match office.sweep_blobs().await {
            Ok(swept) if swept == Swept::default() => {}
            Ok(Swept { pieces, blobs }) => tracing::info!(pieces, blobs, "attachments swept"),
            Err(error) => tracing::warn!(%error, "attachments could not be swept"),
        }
    }
}

/// Ends at the first signal to stop.
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

/// Logs go to standard error, as text or, with `DOORSTEP_LOG_FORMAT=json`, for machines.
/// What the command line says; the demo invents the rest, like everything in it.
fn lender(asked: &Serve) -> Lender {
    let said = |text: &str, invented: &str| {
        let text = if text.is_empty() && asked.demo { invented } else { text };
        text.trim().to_owned()
    };
    Lender {
        name: said(&asked.lender, "Demo Finance 示例金融"),
        complaints: said(&asked.complaints, "400-000-0000, complaints@demo.invalid"),
    }
}

fn start_log() {
    let filter = EnvFilter::try_from_env("DOORSTEP_LOG").unwrap_or_else(|_| EnvFilter::new("info"));
    let log = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    // Only the first subscriber of a process counts; there is no other.
    let _ = match std::env::var("DOORSTEP_LOG_FORMAT").as_deref() {
        Ok("json") => log.json().try_init(),
        _ => log.try_init(),
    };
}

fn about_demo(database: &str, scheme: &str, address: SocketAddr) -> String {
    let file = database.strip_prefix("sqlite:").unwrap_or(database);
    let file = Path::new(file).canonicalize().unwrap_or_else(|_| file.into());
    let mut lines = vec![
        String::new(),
        format!("  field app   {scheme}://{address}/"),
        format!("  console     {scheme}://{address}/office/"),
        format!("  data        {}", file.display()),
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
