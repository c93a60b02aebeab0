//! `sandbox`: serves the sandbox until interrupted.

use serde_json::{Value, json};
use ticket_wallet_sandbox::{AdmissionCode, Sandbox, SandboxConfig, UnidyAccess, ValidatorToken};

use crate::args::sandbox::SandboxOptions;
use crate::choices;
use crate::failure::Failure;
use crate::interrupt::interrupted;
use crate::output::{Output, titled};

/// The ready line is JSON for whoever is no person at a terminal, with and without `--json`: scripts wait for it.
pub(crate) async fn run(options: &SandboxOptions, output: &Output) -> Result<(), Failure> {
    if options.choices {
        return choices::list(output);
    }
    let mut config = SandboxConfig {
        port: options.port,
        seed: options.seed,
        tickets_per_user: options.tickets,
        window_s: options.window,
        feed: options.feed,
        lease_s: options.lease,
        page_limit: options.page_limit.into(),
        token_life_s: options.token_life,
        moves: options.moves,
        transfer_life_s: options.transfer_life,
        ..SandboxConfig::default()
    };
    choices::make(&mut config, &options.choice)?;
    let sandbox = Sandbox::start(config)
        .await
        .map_err(|e| Failure::system(format!("the sandbox cannot start on port {}", options.port), e))?;
    let unread = |e| Failure::system("the sandbox cannot be read", e);
    let (unidy, codes) = (sandbox.unidy().map_err(unread)?, sandbox.admission_codes().map_err(unread)?);
    let validators = sandbox.validators().map_err(unread)?;
    let interrupted = interrupted()?;
    if output.is_terminal() {
        output.text(&ready_text(&sandbox, &unidy, &codes, &validators))?;
    } else {
        output.value(&ready_json(&sandbox, &unidy, &codes, &validators))?;
    }
    interrupted.await;
    sandbox.stop().await;
    Ok(())
}

fn ready_json(
    sandbox: &Sandbox,
    unidy: &UnidyAccess,
    codes: &[AdmissionCode],
    validators: &[ValidatorToken],
) -> Value {
    json!({
        "url": sandbox.url(),
        "users": sandbox.users(),
        "organizers": sandbox.organizers(),
        "unidy": unidy,
        "ticketing": ticketing_json(sandbox),
        "texpo": texpo_json(sandbox),
        "issuer_keys": sandbox.issuer_keys(),
        "admission_codes": codes,
        "validators": validators,
        "manifest_keys": sandbox.manifest_keys(),
    })
}

/// Names and passwords alone.
fn people<'a>(people: impl Iterator<Item = (&'a str, &'a str)>) -> Value {
    people.map(|(name, password)| json!({ "name": name, "password": password })).collect()
}

fn holders(sandbox: &Sandbox) -> Value {
    people(sandbox.users().iter().map(|user| (user.name.as_str(), user.password.as_str())))
}

fn ticketing_json(sandbox: &Sandbox) -> Value {
    let served = sandbox.ticketing();
    let first = served.events.first();
    let hosts = sandbox.organizers().iter().map(|host| (host.name.as_str(), host.password.as_str()));
    json!({
        "url": served.url,
        "users": holders(sandbox),
        "hosts": people(hosts),
        "integration_key": served.integration_key,
        "event": first.map(|event| event.id.to_string()),
        "sections": first.map(|event| event.sections.as_slice()).unwrap_or_default(),
    })
}

fn texpo_json(sandbox: &Sandbox) -> Value {
    let access = sandbox.texpo();
    json!({
        "url": access.url,
        "managers": people(std::iter::once((access.manager.as_str(), access.password.as_str()))),
        "users": holders(sandbox),
        "network": access.network_id,
    })
}

/// A heading, a table, and a command to begin with.
fn section(title: &str, header: &[&str], rows: impl Iterator<Item = Vec<String>>, command: &str) -> String {
    let rows = titled(header.iter().copied(), rows);
    format!("{title}\n{rows}  ticket-wallet {command}\n\n")
}

/// Each kind of sign-in with the command that the first of its kind is signed in by.
fn ready_text(
    sandbox: &Sandbox,
    unidy: &UnidyAccess,
    codes: &[AdmissionCode],
    validators: &[ValidatorToken],
) -> String {
    let url = sandbox.url();
    let users = sandbox.users().iter().map(|user| vec![user.name.clone(), user.password.clone()]);
    let user = sandbox.users().first().map(|user| user.name.as_str()).unwrap_or_default();
    let organizers = sandbox.organizers().iter().map(|one| {
        vec![one.name.clone(), one.password.clone(), one.organizer_id.to_string(), one.tenant.clone()]
    });
    let organizer = sandbox.organizers().first();
    let (name, id) = organizer.map(|one| (one.name.as_str(), one.organizer_id)).unwrap_or_default();
    let brands =
        unidy.brands.iter().map(|brand| vec![brand.name.clone(), brand.url.clone(), brand.sdk_key.clone()]);
    let (brand, key) =
        unidy.brands.first().map(|brand| (brand.url.as_str(), brand.sdk_key.as_str())).unwrap_or_default();
    let apps = unidy.brands.iter().flat_map(|brand| {
        brand.clients.iter().map(|app| {
            let secret = app.client_secret.clone().unwrap_or_default();
            let cells = [&brand.name, &app.name, &app.client_id, &secret, &app.redirect_uri];
            cells.map(String::clone).to_vec()
        })
    });
    let app = unidy.brands.first().and_then(|brand| brand.clients.first());
    let (app, back) = app.map(|app| (app.client_id.as_str(), app.redirect_uri.as_str())).unwrap_or_default();
    [
        format!("The sandbox serves at {url} until Ctrl-C. All that it holds is invented.\n\n"),
        section(
            "Ticket holders, at each system",
            &["USER", "PASSWORD"],
            users,
            &format!("login --system bam --url {url} --user {user}"),
        ),
        section(
            "Organisers at B.A.M, hosts at TickeTing",
            &["USER", "PASSWORD", "ORGANIZER", "TENANT"],
            organizers,
            &format!("box-office login --system bam --url {url} --organizer-id {id} --user {name}"),
        ),
        section(
            "Brands of Unidy",
            &["BRAND", "ADDRESS", "SDK KEY"],
            brands,
            &format!("login --system unidy --url {brand} --sdk-key {key} --user {user}"),
        ),
        section(
            "OAuth apps of these brands",
            &["BRAND", "APP", "CLIENT ID", "SECRET", "REDIRECT"],
            apps,
            &format!(
                "login --system unidy --url {brand} --api partner --client-id {app} --redirect-uri {back} --browser"
            ),
        ),
        ticketing_text(sandbox, name),
        texpo_text(sandbox),
        codes_text(&url, codes),
        validators_text(&url, validators),
        format!("Public keys that sign barcodes\n{}\n", sandbox.issuer_keys().join("\n")),
    ]
    .concat()
}

fn ticketing_text(sandbox: &Sandbox, host: &str) -> String {
    let served = sandbox.ticketing();
    let rows = served
        .events
        .iter()
        .map(|event| vec![event.id.to_string(), event.title.clone(), event.sections.join(" ")]);
    let (url, key) = (&served.url, &served.integration_key);
    let login = format!(
        "box-office login --system ticketing --url {url} --user {host}\n  \
         ticket-wallet box-office login --system ticketing --url {url} --access integration-key --user staff\n  \
         (the integration key is {key})"
    );
    section("Events of TickeTing", &["EVENT", "TITLE", "SECTIONS"], rows, &login)
}

fn texpo_text(sandbox: &Sandbox) -> String {
    let access = sandbox.texpo();
    let (url, network, manager) = (&access.url, &access.network_id, &access.manager);
    let row = vec![manager.clone(), access.password.clone(), network.clone()];
    let login = format!("box-office login --system texpo --url {url} --network {network} --user {manager}");
    section("Manager of TEXPO's network", &["USER", "PASSWORD", "NETWORK"], std::iter::once(row), &login)
}

fn codes_text(url: &str, codes: &[AdmissionCode]) -> String {
    let rows = codes.iter().map(|one| {
        let section = one.sections.first().map_or("all", |(_, name)| name.as_str());
        format!("  {}  {}  {}: {section}\n", one.code, one.tenant, one.event)
    });
    let tenant = codes.first().map(|one| one.tenant.as_str()).unwrap_or_default();
    format!(
        "Admission codes, by which scanners sign in\n{}  ticket-wallet gate sign-in --url {url}/t/{tenant} --name 'North door'\n\n",
        rows.collect::<String>()
    )
}

fn validators_text(url: &str, validators: &[ValidatorToken]) -> String {
    let rows =
        validators.iter().map(|one| vec![one.token.clone(), one.tenant.clone(), one.event_id.to_string()]);
    let command = format!("gate sign-in --service bam --url {url} --name 'North door'");
    section(
        "Validators of B.A.M, by whose tokens scanners sign in",
        &["TOKEN", "TENANT", "EVENT"],
        rows,
        &command,
    )
}
