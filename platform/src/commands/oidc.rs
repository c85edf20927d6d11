//! The options of `serve` by which people enter the console by OpenID Connect.

use clap::Args;
use smp_platform::console::oidc::Options;
use smp_platform::problem::Problem;
use zeroize::Zeroizing;

#[derive(Debug, Args)]
pub(super) struct OidcArguments {
    /// Let people enter the console by OpenID Connect at this issuer, named to the letter as its
    /// tokens name it.
    #[arg(long, value_name = "https://…", requires_all = ["public_url", "oidc_client"])]
    oidc_issuer: Option<String>,
    /// The id of this platform at the issuer.
    #[arg(long, value_name = "ID", requires = "oidc_issuer")]
    oidc_client: Option<String>,
    /// Its secret there, if it has one: `env:VARIABLE` or `file:PATH`.
    #[arg(long, value_name = "env:NAME", requires = "oidc_issuer")]
    oidc_secret: Option<String>,
    /// The claim that names role and tenant: `admin`, `viewer`, `admin:TENANT` or `viewer:TENANT`,
    /// or a list with one of these.
    #[arg(long, value_name = "CLAIM", default_value = "smp_platform")]
    oidc_claim: String,
    /// Ask the issuer for this scope beside `openid`, so that its token has the claim.
    #[arg(long = "oidc-scope", value_name = "SCOPE", requires = "oidc_issuer")]
    oidc_scopes: Vec<String>,
}

impl OidcArguments {
    /// How people enter by OpenID Connect, if they do.
    pub(super) fn options(&self) -> Result<Option<Options>, Problem> {
        let (Some(issuer), Some(client)) = (&self.oidc_issuer, &self.oidc_client) else {
            return Ok(None);
        };
        Ok(Some(Options {
            issuer: issuer.clone(),
            client: client.clone(),
            secret: self.oidc_secret.as_deref().map(secret).transpose()?,
            claim: self.oidc_claim.clone(),
            scopes: self.oidc_scopes.clone(),
        }))
    }
}

/// A secret that is not in the arguments, which everybody on the machine can read.
fn secret(from: &str) -> Result<Zeroizing<String>, Problem> {
    let wrong = |text: String| {
        Problem::invalid(text)
            .hint("Give `--oidc-secret env:VARIABLE` or `--oidc-secret file:PATH`.")
    };
    let text = match from.split_once(':') {
        Some(("env", name)) => std::env::var(name)
            .map_err(|_| wrong(format!("the environment has no variable `{name}`")))?,
        Some(("file", path)) => std::fs::read_to_string(path)
            .map_err(|error| wrong(format!("`{path}` cannot be read: {error}")))?,
        _ => return Err(wrong("`--oidc-secret` says neither `env:` nor `file:`".into())),
    };
    let text = Zeroizing::new(text);
    let trimmed = Zeroizing::new(text.trim().to_owned());
    if trimmed.is_empty() {
        return Err(wrong("the secret of `--oidc-secret` is empty".into()));
    }
    Ok(trimmed)
}
